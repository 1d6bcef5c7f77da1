import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { LanePool } from './lane-pool.ts';
import { runOnce } from './run-once.ts';

export interface MaintenanceBounds {
  readonly lookMs: number;
  /** Write-ahead log since the last checkpoint, beyond which the next is written. */
  readonly checkpointBytes: number;
  /** New records, beyond which they are vacuumed: frozen at once, so that no later vacuum reads them again. */
  readonly vacuumBytes: number;
  /** The small tables, which change in place. */
  readonly tidyMs: number;
}

const MAINTENANCE: MaintenanceBounds = {
  lookMs: 2_000,
  checkpointBytes: 32 * 1024 * 1024,
  vacuumBytes: 8 * 1024 * 1024,
  tidyMs: 600_000,
};

const LOOK = `
SELECT pg_relation_size('audit_record') AS "recordBytes",
  (pg_current_wal_lsn() - (SELECT redo_lsn FROM pg_control_checkpoint()))::bigint AS "walBytes"`;
/** A sample of 300 rows: the planner only has to know that the table is large. */
const ANALYZE_RECORDS = [
  'SET default_statistics_target = 1',
  'ANALYZE audit_record',
  'RESET default_statistics_target',
];
const SMALL_TABLES = `
SELECT format('VACUUM (ANALYZE) %I', relname) AS statement FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'audit_record'`;

/**
 * The embedded database has no background processes: without this its write-ahead log and dead rows only grow, and the
 * planner knows nothing. In steps so small that appends hardly wait; what an earlier process left undone is done before
 * this resolves, since later it would hold them up.
 */
export async function startMaintenance(
  pool: LanePool,
  log: Logger,
  bounds: MaintenanceBounds = MAINTENANCE,
): Promise<AsyncDisposable> {
  let vacuumed = 0;
  let analyzed = 0;
  let tidiedAt = performance.now();
  let running: Promise<void> | undefined;

  await run(['VACUUM (FREEZE) audit_record', ...ANALYZE_RECORDS, 'CHECKPOINT']);
  vacuumed = analyzed = (await look()).recordBytes;
  const timer = setInterval(() => {
    running ??= tend().finally(() => {
      running = undefined;
    });
  }, bounds.lookMs);
  timer.unref();

  async function tend(): Promise<void> {
    try {
      const { recordBytes, walBytes } = await look();
      if (recordBytes - vacuumed >= bounds.vacuumBytes) {
        await run(['VACUUM (FREEZE) audit_record']);
        vacuumed = recordBytes;
      }
      if (recordBytes >= 2 * analyzed + bounds.vacuumBytes) {
        await run(ANALYZE_RECORDS);
        analyzed = recordBytes;
      }
      if (walBytes >= bounds.checkpointBytes) await run(['CHECKPOINT']);
      if (performance.now() - tidiedAt >= bounds.tidyMs) {
        tidiedAt = performance.now();
        for (const { statement } of await ask<{ statement: string }>(SMALL_TABLES)) await run([statement]);
      }
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'maintenance of the embedded database failed');
    }
  }

  async function look(): Promise<{ recordBytes: number; walBytes: number }> {
    const [sizes] = await ask<{ recordBytes: number; walBytes: number }>(LOOK);
    return sizes ?? { recordBytes: 0, walBytes: 0 };
  }

  async function run(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await ask(statement);
  }

  /** Each statement in a turn of its own. */
  async function ask<Row extends object>(text: string): Promise<Row[]> {
    return runOnce<Row>(await pool.connectIn('search'), { text });
  }

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
