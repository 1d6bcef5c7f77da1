// One TCP stream through client, relay and agent, beside `ssh -R` and two bare Node pipes in a row.
import { parseArgs } from 'node:util';
import { readCpu } from './measure/cpu.ts';
import { wholeNumber } from './options.ts';
import { temporaryDirectory } from './place.ts';
import { runProgram } from './program.ts';
import { median } from './report.ts';
import { startServer } from './server.ts';
import type { Part } from './setup.ts';
import { startPostern } from './setups/postern.ts';
import { STREAM_RESOURCE } from './setups/postern-files.ts';
import { startSsh } from './setups/ssh.ts';
import { startTarget } from './setups/target.ts';
import { startConnect } from './stream/connect.ts';
import { receive } from './stream/receive.ts';

/** One way for a stream from the source to us. */
interface Way {
  readonly name: string;
  readonly port: number;
  readonly parts: readonly Part[];
  readonly rates: number[];
}

await runProgram('npm run bench:stream -- [--rounds 5] [--mb 1024]', async (signal) => {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, mb: { type: 'string', default: '1024' } },
  });
  await bench(wholeNumber('--rounds', values.rounds), wholeNumber('--mb', values.mb), signal);
});

async function bench(rounds: number, megabytes: number, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const program = async (name: string, file: string, ...args: string[]) => {
    const { port, pid } = stack.use(await startServer(new URL(`stream/${file}.ts`, import.meta.url), args, { signal }));
    return { port, part: { name, pid, own: name !== 'source' } };
  };
  const source = await program('source', 'source');
  const near = await program('near pipe', 'pipe', String(source.port));
  const far = await program('far pipe', 'pipe', String(near.port));
  const ssh = await startSsh(stack, { ...source, served: () => Promise.resolve(0) }, signal);
  const target = await startTarget(stack, signal);
  const postern = await startPostern(stack, target, { name: 'postern', streamPort: source.port }, signal);
  const directory = await temporaryDirectory(stack, 'client');
  const client = await startConnect(stack, postern, STREAM_RESOURCE, directory, signal);

  const ways: Way[] = [
    { name: 'two Node pipes', port: far.port, parts: [far.part, near.part], rates: [] },
    { name: 'ssh -R', port: ssh.port, parts: ssh.parts, rates: [] },
    {
      name: 'Postern',
      port: client.port,
      parts: [{ name: 'client', pid: client.child.pid, own: true }, ...postern.parts],
      rates: [],
    },
  ];
  // V8 makes the code that runs most fast only after a while.
  for (const { port } of ways) await receive(port, 2 * megabytes * 1e6, signal);
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, port, parts, rates } of ways) {
      const own = parts.filter((part) => part.own);
      const before = readCpu(own);
      const rate = await receive(port, megabytes * 1e6, signal);
      rates.push(rate);
      const after = readCpu(own);
      const cpu = own.map((part) => `${part.name} ${perMegabyte(before, after, part.name, megabytes)}`);
      process.stdout.write(
        `round ${round}  ${name.padEnd(15)} ${rate.toFixed(0).padStart(5)} MB/s   CPU ms/MB: ${cpu.join('  ')}\n`,
      );
    }
  }
  const [pipes, overSsh, ours] = ways;
  if (!pipes || !overSsh || !ours) return;
  const ratio = (other: Way) => median(ours.rates.map((rate, at) => rate / (other.rates[at] ?? Number.NaN))).toFixed(2);
  process.stdout.write(
    `medians  ${ways.map((way) => `${way.name} ${median(way.rates).toFixed(0)} MB/s`).join('   ')}\n`,
  );
  process.stdout.write(`Postern is ${ratio(overSsh)} times ssh -R, and ${ratio(pipes)} of two Node pipes\n`);
}

function perMegabyte(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  name: string,
  megabytes: number,
): string {
  return (((after.get(name) ?? 0) - (before.get(name) ?? 0)) / 1e3 / megabytes).toFixed(2);
}
