import { pause } from '../../src/lib/wait.ts';
import { BenchError } from '../setup.ts';

/** An intent and an outcome. */
const RECORDS_PER_REQUEST = 2;
/** Outcomes may be written a little after the answer. */
const LATE_MS = 5_000;

/**
 * Gives a function that throws unless the audit log, whose length `size` reads, has grown by two records for each of
 * `requests` since its last call; `slack` of them may be missing.
 */
export async function watchGrowth(
  size: () => Promise<number>,
  slack = 0,
): Promise<(requests: number) => Promise<void>> {
  let before = await size();
  return async (requests) => {
    const limit = Date.now() + LATE_MS;
    let now = await size();
    while (now - before < requests * RECORDS_PER_REQUEST - slack) {
      if (Date.now() > limit) {
        throw new BenchError(`The target saw ${requests} requests, but the audit log grew by ${now - before} records.`);
      }
      await pause(50);
      now = await size();
    }
    before = now;
  };
}
