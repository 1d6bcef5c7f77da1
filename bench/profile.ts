// Where each microsecond goes: CPU profiles of relay and agent under load, in µs per request or per MB.
import { parseArgs } from 'node:util';
import { readMainThreadCpu } from './measure/cpu.ts';
import { measureDownload } from './measure/download.ts';
import { runWrk } from './measure/wrk.ts';
import { wholeNumber } from './options.ts';
import { type Costs, readCosts } from './profile/costs.ts';
import { startProfile } from './profile/inspector.ts';
import { runProgram } from './program.ts';
import type { Setup } from './setup.ts';
import { startPostern } from './setups/postern.ts';
import { startTarget } from './setups/target.ts';

const INTERVAL_US = 200;
const TOP = 30;
const DOWNLOAD_BYTES = 512e6;

const USAGE = 'node tools/run.mjs bench/profile.ts [--seconds 5] [--connections 64] [--embedded] [--download]';

await runProgram(USAGE, async (signal) => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      embedded: { type: 'boolean', default: false },
      download: { type: 'boolean', default: false },
    },
  });
  const connections = wholeNumber('--connections', values.connections);
  const seconds = wholeNumber('--seconds', values.seconds);
  const load = values.download ? downloads : requests(connections, seconds);
  await profile(values.embedded ? 'postern-embedded' : 'postern', load, signal);
});

/** Puts load on the setup; says how much was done, in which unit, and in words for people. */
type Load = (setup: Setup, signal: AbortSignal) => Promise<{ amount: number; unit: string; words: string }>;

function requests(connections: number, seconds: number): Load {
  return async (setup, signal) => {
    const summary = await runWrk(setup, connections, seconds, signal);
    const rate = Math.round((summary.requests * 1e6) / summary.durationUs);
    return { amount: summary.requests, unit: 'request', words: `${rate} requests/s` };
  };
}

async function downloads(setup: Setup, signal: AbortSignal) {
  const rate = await measureDownload(setup, DOWNLOAD_BYTES, signal);
  return { amount: DOWNLOAD_BYTES / 1e6, unit: 'MB', words: `${Math.round(rate)} MB/s` };
}

async function profile(name: 'postern' | 'postern-embedded', load: Load, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const target = await startTarget(stack, signal);
  const postern = await startPostern(stack, target, { name, nodeArguments: ['--inspect=127.0.0.1:0'] }, signal);
  await load(postern, signal);

  const parts = [
    { name: 'relay', child: postern.relay },
    { name: 'agent', child: postern.agent },
  ];
  const running = await Promise.all(
    parts.map(async ({ name, child }) => ({
      name,
      pid: child.pid,
      cpuBefore: readMainThreadCpu(child.pid),
      stop: await startProfile(child.output(), INTERVAL_US),
    })),
  );
  const { amount, unit, words } = await load(postern, signal);
  const seen = running.map((part) => ({ ...part, cpuUs: readMainThreadCpu(part.pid) - part.cpuBefore }));
  process.stdout.write(`${words} while profiled\n`);
  for (const part of seen) {
    print(part.name, readCosts(await part.stop(), INTERVAL_US, part.cpuUs), amount, unit);
  }
}

function print(part: string, costs: Costs, amount: number, unit: string): void {
  const per = (us: number) => (us / amount).toFixed(1);
  const section = (title: string, sums: ReadonlyMap<string, number>, most: number) => {
    const lines = [...sums].sort((a, b) => b[1] - a[1]).slice(0, most);
    process.stdout.write(`\n${title}, µs per ${unit}\n`);
    for (const [key, us] of lines) process.stdout.write(`${per(us).padStart(8)}  ${key}\n`);
  };
  process.stdout.write(`\n=== ${part}: ${per(costs.busyUs)} µs of its main thread per ${unit}\n`);
  section('self time by group', costs.selfByGroup, 16);
  section('caused by group (with what it calls outside src)', costs.causedByGroup, 16);
  section('self time by function', costs.selfByFunction, TOP);
  section('caused by function', costs.causedByFunction, TOP);
}
