import { fileURLToPath } from 'node:url';
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import { runToEnd } from '../child.ts';
import { BenchError, type Setup } from '../setup.ts';

const count = Type.Integer({ minimum: 0 });
const summarySchema = Type.Object({
  durationUs: Type.Integer({ minimum: 1 }),
  requests: count,
  bytes: count,
  p50Us: count,
  p99Us: count,
  maxUs: count,
  errors: Type.Object({ connect: count, read: count, write: count, status: count, timeout: count }),
});

/** One run of wrk. `bytes` counts heads and bodies. */
export type WrkSummary = Static<typeof summarySchema>;

const SUMMARY_LINE = /^wrk-summary (\{.*\})$/m;
const script = fileURLToPath(new URL('summary.lua', import.meta.url));

/** Runs wrk with one thread: it is far from busy, and the machine's cores belong to what is measured. */
export async function runWrk(
  setup: Setup,
  connections: number,
  seconds: number,
  signal: AbortSignal,
  path = '/bench',
): Promise<WrkSummary> {
  const headers = Object.entries(setup.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const output = await runToEnd(
    'wrk',
    ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '--latency', '-s', script, ...headers].concat(
      `http://127.0.0.1:${setup.port}${path}`,
    ),
    { signal },
  );
  return parseWrk(output);
}

/** Reads the summary line out of wrk's output. Throws when it is missing, or when the run was not clean. */
export function parseWrk(output: string): WrkSummary {
  const line = SUMMARY_LINE.exec(output)?.[1];
  if (line === undefined) throw new BenchError(`wrk printed no summary:\n${output}`);
  const summary: unknown = JSON.parse(line);
  if (!Check(summarySchema, summary)) throw new BenchError(`wrk printed an unknown summary: ${line}`);
  const errors = Object.entries(summary.errors).filter(([, number]) => number > 0);
  if (errors.length > 0) {
    throw new BenchError(`wrk met errors: ${errors.map(([kind, number]) => `${number} ${kind}`).join(', ')}`);
  }
  if (summary.requests === 0) throw new BenchError('wrk got no answer at all');
  return summary;
}
