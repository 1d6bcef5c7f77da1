// A relay with the embedded database under the load of the benchmark, and how much memory it has meanwhile.
import { parseArgs } from 'node:util';
import { peakMemory, residentMemory } from './measure/cpu.ts';
import { measureDownload } from './measure/download.ts';
import { runWrk } from './measure/wrk.ts';
import { wholeNumber } from './options.ts';
import { runProgram } from './program.ts';
import { MANY } from './rounds.ts';
import { startPostern } from './setups/postern.ts';
import { startTarget } from './setups/target.ts';

const SAMPLE_SECONDS = 30;
const DOWNLOAD_BYTES = 256e6;
/** Until then caches fill. */
const WARM_SAMPLES = 2;

await runProgram('npm run bench:soak -- [--minutes 10]', async (signal) => {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
  await soak(wholeNumber('--minutes', values.minutes), signal);
});

async function soak(minutes: number, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const target = await startTarget(stack, signal);
  const postern = await startPostern(stack, target, { name: 'postern-embedded' }, signal);
  const parts = postern.parts.filter(({ own }) => own);
  const samples = (minutes * 60) / SAMPLE_SECONDS;
  const relay: number[] = [];
  let requests = 0;
  for (let sample = 1; sample <= samples; sample += 1) {
    requests += (await runWrk(postern, MANY, SAMPLE_SECONDS, signal)).requests;
    const memory = parts.map((part) => `${part.name} ${megabytes(residentMemory(part))} MB`);
    relay.push(residentMemory({ name: 'relay', pid: postern.relay.pid, own: true }));
    await measureDownload(postern, DOWNLOAD_BYTES, signal);
    process.stdout.write(
      `${(sample * SAMPLE_SECONDS).toString().padStart(5)} s   ${memory.join('   ')}   ${requests} requests\n`,
    );
  }
  const peaks = parts.map((part) => `${part.name} ${megabytes(peakMemory(part))} MB`);
  process.stdout.write(`peak    ${peaks.join('   ')}\n`);
  const slope = slopeOf(relay.slice(WARM_SAMPLES)) * (60 / SAMPLE_SECONDS);
  process.stdout.write(`after the first minute the relay's memory changed by ${megabytes(slope)} MB per minute\n`);
}

/** Of the straight line through the values that has the least squares, per step. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [above, below] = [0, 0];
  for (const [at, value] of values.entries()) {
    above += (at - middle) * (value - mean);
    below += (at - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}
