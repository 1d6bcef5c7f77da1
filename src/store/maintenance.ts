import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { LanePool } from './lane-pool.ts';

/** The embedded database has no background processes: without these its write-ahead log and dead rows only grow. */
const CHECKPOINT_MS = 60_000;
const VACUUM_EVERY = 10;

export function startMaintenance(pool: LanePool, log: Logger): AsyncDisposable {
  let round = 0;
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= tend().finally(() => {
      running = undefined;
    });
  }, CHECKPOINT_MS);
  timer.unref();

  async function tend(): Promise<void> {
    round += 1;
    try {
      await runLast(pool, 'CHECKPOINT');
      if (round % VACUUM_EVERY === 0) await runLast(pool, 'VACUUM (ANALYZE)');
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'maintenance of the embedded database failed');
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

async function runLast(pool: LanePool, statement: string): Promise<void> {
  const client = await pool.connectIn('search');
  let failed = true;
  try {
    await client.query(statement);
    failed = false;
  } finally {
    client.release(failed);
  }
}
