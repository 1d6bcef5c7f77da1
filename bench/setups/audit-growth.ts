import pg from 'pg';
import { pause } from '../../src/lib/wait.ts';
import { BenchError } from '../setup.ts';

/** An intent and an outcome. */
const RECORDS_PER_REQUEST = 2;
/** Outcomes may be written a little after the answer. */
const LATE_MS = 5_000;

export interface AuditWatch {
  readonly serverVersion: string;
  /** Throws unless the audit log has grown by two records for each of `requests` since the last call. */
  readonly confirm: (requests: number) => Promise<void>;
}

export async function watchAudit(stack: AsyncDisposableStack, databaseUrl: string): Promise<AuditWatch> {
  const client = new pg.Client({ connectionString: databaseUrl, query_timeout: LATE_MS });
  await client.connect();
  stack.defer(() => client.end());
  const version = await client.query<{ server_version: string }>('SHOW server_version');
  const size = async () => {
    const { rows } = await client.query<{ size: string }>('SELECT coalesce(sum(size), 0) AS size FROM audit_log');
    return Number(rows[0]?.size);
  };
  let before = await size();
  return {
    serverVersion: version.rows[0]?.server_version.split(' ')[0] ?? 'unknown',
    confirm: async (requests) => {
      const limit = Date.now() + LATE_MS;
      let now = await size();
      while (now - before < requests * RECORDS_PER_REQUEST) {
        if (Date.now() > limit) {
          throw new BenchError(
            `The target saw ${requests} requests, but the audit log grew by ${now - before} records.`,
          );
        }
        await pause(50);
        now = await size();
      }
      before = now;
    },
  };
}
