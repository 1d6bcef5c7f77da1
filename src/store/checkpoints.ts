import { sql } from 'drizzle-orm';
import type { StoredCheckpoint } from '../domain/stored/audit-log.ts';
import type { Store } from './open.ts';

export interface StoredCheckpointKey {
  readonly sealed: string;
  /** How others name the public key. */
  readonly verifier: string;
}

/** The checkpoints of one log, and the key that signs them. */
export function createCheckpointTable({ db }: Pick<Store, 'db'>, logId: string) {
  return {
    async readKey(): Promise<StoredCheckpointKey | undefined> {
      const { rows } = await db.execute<{ sealed: string; verifier: string }>(
        sql`SELECT sealed, verifier FROM checkpoint_key WHERE log_id = ${logId}`,
      );
      return rows[0];
    },

    /** Of processes that start at once one adds its key; the others read it. */
    async addKey({ sealed, verifier }: StoredCheckpointKey): Promise<void> {
      await db.execute(
        sql`INSERT INTO checkpoint_key (log_id, sealed, verifier) VALUES (${logId}, ${sealed}, ${verifier})
            ON CONFLICT DO NOTHING`,
      );
    },

    async add({ size, at, note }: StoredCheckpoint): Promise<void> {
      await db.execute(
        sql`INSERT INTO checkpoint (log_id, size, at, note) VALUES (${logId}, ${size}, ${at}, ${note})
            ON CONFLICT DO NOTHING`,
      );
    },

    /** By size, those larger than `after`. */
    async list(after: number, limit: number): Promise<StoredCheckpoint[]> {
      // drizzle leaves bigint as text.
      const { rows } = await db.execute<{ size: string; at: string; note: string }>(
        sql`SELECT size, at, note FROM checkpoint WHERE log_id = ${logId} AND size > ${after} ORDER BY size LIMIT ${limit}`,
      );
      return rows.map(({ size, at, note }) => ({ size: Number(size), at: Number(at), note }));
    },
  };
}
