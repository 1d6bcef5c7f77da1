import { runWrk } from './measure/wrk.ts';
import { parseOptions } from './options.ts';
import { type Costs, readCosts } from './profile/costs.ts';
import { startProfile } from './profile/inspector.ts';
import { MANY } from './rounds.ts';
import { startPostern } from './setups/postern.ts';
import { startTarget } from './setups/target.ts';

// Where each microsecond goes: CPU profiles of relay and agent under load, in µs per request.
// Usage: node tools/run.mjs bench/profile.ts [--seconds 5] [--only postern-embedded]

const INTERVAL_US = 200;
const TOP = 25;

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
const { signal } = interrupted;

const { seconds, only } = parseOptions(process.argv.slice(2));
const name = only.includes('postern-embedded') ? 'postern-embedded' : 'postern';

await using stack = new AsyncDisposableStack();
const target = await startTarget(stack, signal);
const postern = await startPostern(stack, target, { name, nodeArguments: ['--inspect=127.0.0.1:0'] }, signal);
await runWrk(postern, MANY, 3, signal);
const stops = await Promise.all(
  [postern.relay, postern.agent].map((child) => startProfile(child.output(), INTERVAL_US)),
);
const { requests, durationUs } = await runWrk(postern, MANY, seconds, signal);
const [relay, agent] = await Promise.all(stops.map((stop) => stop()));

process.stdout.write(`${Math.round((requests * 1e6) / durationUs)} requests/s while profiled\n`);
for (const [part, profile] of [
  ['relay', relay],
  ['agent', agent],
] as const) {
  if (!profile) continue;
  const costs = readCosts(profile);
  process.stdout.write(
    `\n=== ${part}: ${perRequest(costs.busyUs)} µs of its main thread per request, idle ${idleShare(costs)} %\n`,
  );
  print('self time by group', costs.selfByGroup, 16);
  print('caused by group (with what it calls outside src)', costs.causedByGroup, 16);
  print('self time by function', costs.selfByFunction, TOP);
  print('caused by function', costs.causedByFunction, TOP);
}

function perRequest(us: number): string {
  return (us / requests).toFixed(1);
}

function idleShare({ busyUs, idleUs }: Costs): string {
  return ((100 * idleUs) / (busyUs + idleUs)).toFixed(0);
}

function print(title: string, sums: ReadonlyMap<string, number>, most: number): void {
  const lines = [...sums].sort((a, b) => b[1] - a[1]).slice(0, most);
  process.stdout.write(`\n${title}, µs per request\n`);
  for (const [key, us] of lines) process.stdout.write(`${perRequest(us).padStart(8)}  ${key}\n`);
}
