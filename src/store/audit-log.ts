import type pg from 'pg';
import { ELEMENT, type ElementType, encodeArray } from './binary-array.ts';
import type { Store } from './open.ts';
import { runOnce } from './run-once.ts';

interface Head {
  readonly number: number;
  readonly size: number;
  readonly root: Buffer;
  readonly frontier: Buffer;
  readonly epoch: number;
}

interface Row {
  readonly ref: string;
  readonly leaf: string;
  readonly leafHash: Buffer;
  readonly salt: Buffer | undefined;
  readonly personal: string | undefined;
}

interface Batch extends Head {
  readonly oldSize: number;
  readonly newSize: number;
  readonly rows: readonly Row[];
}

const HEAD = 'number, size, root, frontier, epoch';
/** SHA-256 of nothing: the root of an empty tree (RFC 6962 §2.1). */
const EMPTY_ROOT = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');

/** One statement, so it happens whole or not at all, and only if the head is where this writer left it. */
const COMMIT = `
WITH head AS (
  UPDATE audit_log SET size = $2, root = $3, frontier = $4
  WHERE number = $1 AND size = $5 AND epoch = $6 RETURNING number
), rows AS (
  INSERT INTO audit_record (log, index, ref, leaf, leaf_hash, salt, personal)
  SELECT head.number, $5 + r.ordinal - 1, r.ref::uuid, r.leaf, r.leaf_hash, r.salt, r.personal
  FROM head, unnest($7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::text[])
    WITH ORDINALITY AS r (ref, leaf, leaf_hash, salt, personal, ordinal)
)
SELECT number FROM head`;

/** The tables of the audit log, as its one writer uses them. */
export class AuditLogTable {
  readonly commitTimeoutMs: number;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.commitTimeoutMs = store.commitTimeoutMs;
  }

  async takeOver(logId: string, writer: string): Promise<Head> {
    const [head] = await this.#run<Head>(
      `INSERT INTO audit_log (log_id, size, root, frontier, epoch, writer) VALUES ($1, 0, $3, '', 1, $2)
       ON CONFLICT (log_id) DO UPDATE SET epoch = audit_log.epoch + 1, writer = $2 RETURNING ${HEAD}`,
      [logId, writer, EMPTY_ROOT],
    );
    if (!head) throw new Error('INSERT … RETURNING gave no row.');
    return head;
  }

  async countRecords(number: number): Promise<number> {
    const [last] = await this.#run<{ count: number }>(
      'SELECT coalesce(max(index) + 1, 0) AS count FROM audit_record WHERE log = $1',
      [number],
    );
    return last?.count ?? 0;
  }

  async raiseEpoch(logId: string, writer: string): Promise<Head | undefined> {
    const [head] = await this.#run<Head>(
      `UPDATE audit_log SET epoch = epoch + 1 WHERE log_id = $1 AND writer = $2 RETURNING ${HEAD}`,
      [logId, writer],
    );
    return head;
  }

  async commit(batch: Omit<Batch, 'size'>): Promise<boolean> {
    const { rows } = batch;
    const values = [
      batch.number,
      batch.newSize,
      batch.root,
      batch.frontier,
      batch.oldSize,
      batch.epoch,
      column(ELEMENT.text, rows, (row) => row.ref),
      column(ELEMENT.text, rows, (row) => row.leaf),
      column(ELEMENT.bytea, rows, (row) => row.leafHash),
      column(ELEMENT.bytea, rows, (row) => row.salt),
      column(ELEMENT.text, rows, (row) => row.personal),
    ];
    return (await this.#run(COMMIT, values, 'audit_commit')).length === 1;
  }

  async listLogs(): Promise<{ log: string; size: number }[]> {
    const { rows } = await this.#store.pool.query<{ log: string; size: number }>(
      'SELECT log_id AS log, size FROM audit_log ORDER BY log_id',
    );
    return rows;
  }

  async writeFacts(hash: Buffer, salt: Buffer, body: string): Promise<void> {
    await this.#store.pool.query('INSERT INTO audit_fact (hash, salt, body) VALUES ($1, $2, $3)', [hash, salt, body]);
  }

  async #run<R extends pg.QueryResultRow>(text: string, values: unknown[], name?: string): Promise<R[]> {
    const query: pg.QueryConfig & { query_timeout: number } = {
      text,
      values,
      query_timeout: this.commitTimeoutMs,
      ...(name === undefined ? {} : { name }),
    };
    return runOnce<R>(await this.#store.connect('append'), query);
  }
}

function column(type: ElementType, rows: readonly Row[], of: (row: Row) => Buffer | string | undefined): Buffer {
  return encodeArray(type, rows.map(of));
}
