import { availableParallelism } from 'node:os';
import { pause } from '../../src/lib/wait.ts';
import { BenchError, type Setup } from '../setup.ts';
import type { Target } from '../setups/target.ts';
import { SMALL_BODY } from '../setups/target-bodies.ts';
import { renderPage } from '../setups/target-page.ts';
import { readCpu, readMachineCpu } from './cpu.ts';
import { runWrk } from './wrk.ts';

/** One wrk run of one setup. */
export interface Cell {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time per request in µs, by part. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** The sum over the setup's own parts: without wrk, the target and PostgreSQL. */
  readonly ownCpuUs: number;
  /** How much of the machine's cores programs outside the bench had meanwhile, 0 to 1. */
  readonly foreignShare: number;
}

/** What one run leaves unfinished (closed connections, outcomes not yet written) must not burden the next. */
const SETTLE_MS = 200;

/** What is asked for: bytes that cost the target next to nothing, or a page that it renders each time. */
export type Load = 'small' | 'page';

const LOADS: Readonly<Record<Load, { readonly path: string; readonly bytes: number }>> = {
  small: { path: '/bench', bytes: SMALL_BODY.length },
  page: { path: '/page', bytes: renderPage().length },
};

export async function measureCell(
  setup: Setup,
  target: Target,
  load: Load,
  connections: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Cell> {
  await pause(SETTLE_MS, signal);
  const servedBefore = await target.served();
  const cpuBefore = readCpu(setup.parts);
  const foreignBefore = readForeignCpu();
  const summary = await runWrk(setup, connections, seconds, signal, LOADS[load].path);
  const foreignUs = readForeignCpu() - foreignBefore;
  const cpuAfter = readCpu(setup.parts);
  await pause(SETTLE_MS, signal);
  const served = (await target.served()) - servedBefore;

  // wrk takes a redirect for a success: what counts is that the target saw each request and its body came back.
  if (served < summary.requests || served > summary.requests + connections) {
    throw new BenchError(`${setup.name}: wrk counted ${summary.requests} answers, the target saw ${served} requests`);
  }
  if (summary.bytes < summary.requests * LOADS[load].bytes) {
    throw new BenchError(`${setup.name}: ${summary.requests} answers held only ${summary.bytes} bytes`);
  }
  await setup.confirm?.(served);

  const cpuUs = Object.fromEntries(
    setup.parts.map(({ name }) => [name, ((cpuAfter.get(name) ?? 0) - (cpuBefore.get(name) ?? 0)) / summary.requests]),
  );
  return {
    requestsPerSecond: (summary.requests * 1e6) / summary.durationUs,
    p50Us: summary.p50Us,
    p99Us: summary.p99Us,
    cpuUs,
    ownCpuUs: setup.parts.reduce((sum, part) => sum + (part.own ? (cpuUs[part.name] ?? 0) : 0), 0),
    foreignShare: Math.max(0, foreignUs / (summary.durationUs * availableParallelism())),
  };
}

/** Everything that the bench started is its descendant. */
function readForeignCpu(): number {
  const bench = readCpu([{ name: 'bench', pid: process.pid, own: false }]);
  return readMachineCpu() - (bench.get('bench') ?? 0);
}
