import type pg from 'pg';
import type { StoredFact, StoredHead, StoredRecord } from '../domain/stored/audit-log.ts';
import type { Store } from './open.ts';
import { runOnce } from './run-once.ts';

/** The audit log as its verifier reads it: in pages, behind everything that is in a hurry. */
export class AuditLogReader {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async readHead(logId: string): Promise<StoredHead | undefined> {
    const [head] = await this.#read<StoredHead>(
      `SELECT number, size, root, frontier,
         (SELECT coalesce(max(index) + 1, 0) FROM audit_record WHERE log = number) AS records
       FROM audit_log WHERE log_id = $1`,
      [logId],
    );
    return head;
  }

  readRecords(number: number, from: number, limit: number): Promise<StoredRecord[]> {
    return this.#read<StoredRecord>(
      `SELECT index, ref, leaf, leaf_hash AS "leafHash", salt, personal FROM audit_record
       WHERE log = $1 AND index >= $2 ORDER BY index LIMIT $3`,
      [number, from, limit],
    );
  }

  readFacts(hashes: readonly string[]): Promise<StoredFact[]> {
    return this.#read<StoredFact>(
      `SELECT encode(hash, 'hex') AS hash, salt, body FROM audit_fact WHERE hash = ANY($1::bytea[])`,
      [hashes.map((hash) => Buffer.from(hash, 'hex'))],
    );
  }

  async #read<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R[]> {
    return runOnce<R>(await this.#store.connect('search'), { text, values });
  }
}
