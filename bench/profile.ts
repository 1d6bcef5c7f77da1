import { parseArgs } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { readMainThreadCpu } from './measure/cpu.ts';
import { runWrk } from './measure/wrk.ts';
import { wholeNumber } from './options.ts';
import { type Costs, readCosts } from './profile/costs.ts';
import { startProfile } from './profile/inspector.ts';
import { WARM_UP_SECONDS } from './rounds.ts';
import { startPostern } from './setups/postern.ts';
import { startTarget } from './setups/target.ts';

// Where each microsecond goes: CPU profiles of relay and agent under load, in µs per request.
// Usage: node tools/run.mjs bench/profile.ts [--seconds 5] [--connections 64] [--embedded]

const INTERVAL_US = 200;
const TOP = 30;

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());

try {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      embedded: { type: 'boolean', default: false },
    },
  });
  await profile(
    values.embedded ? 'postern-embedded' : 'postern',
    wholeNumber('--connections', values.connections),
    wholeNumber('--seconds', values.seconds),
    interrupted.signal,
  );
} catch (error) {
  process.stderr.write(`No result: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function profile(
  name: 'postern' | 'postern-embedded',
  connections: number,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const target = await startTarget(stack, signal);
  const postern = await startPostern(stack, target, { name, nodeArguments: ['--inspect=127.0.0.1:0'] }, signal);
  await runWrk(postern, connections, WARM_UP_SECONDS, signal);

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
  const { requests, durationUs } = await runWrk(postern, connections, seconds, signal);
  const seen = running.map((part) => ({ ...part, cpuUs: readMainThreadCpu(part.pid) - part.cpuBefore }));
  process.stdout.write(`${Math.round((requests * 1e6) / durationUs)} requests/s while profiled\n`);
  for (const part of seen) {
    print(part.name, readCosts(await part.stop(), INTERVAL_US, part.cpuUs), requests);
  }
}

function print(part: string, costs: Costs, requests: number): void {
  const perRequest = (us: number) => (us / requests).toFixed(1);
  const section = (title: string, sums: ReadonlyMap<string, number>, most: number) => {
    const lines = [...sums].sort((a, b) => b[1] - a[1]).slice(0, most);
    process.stdout.write(`\n${title}, µs per request\n`);
    for (const [key, us] of lines) process.stdout.write(`${perRequest(us).padStart(8)}  ${key}\n`);
  };
  process.stdout.write(`\n=== ${part}: ${perRequest(costs.busyUs)} µs of its main thread per request\n`);
  section('self time by group', costs.selfByGroup, 16);
  section('caused by group (with what it calls outside src)', costs.causedByGroup, 16);
  section('self time by function', costs.selfByFunction, TOP);
  section('caused by function', costs.causedByFunction, TOP);
}
