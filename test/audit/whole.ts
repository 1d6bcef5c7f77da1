import assert from 'node:assert/strict';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { leafHash } from '../../src/proof/hash.ts';
import type { Store } from '../../src/store/open.ts';
import { naiveRoot } from '../proof/naive-tree.ts';

export interface StoredRow {
  index: number;
  leaf: string;
  leaf_hash: Buffer;
}

export async function readLog(
  store: Store,
  logId: string,
): Promise<{ number: number; size: number; root: string; rows: StoredRow[] }> {
  const head = await store.pool.query<{ number: number; size: number; root: Buffer }>(
    'SELECT number, size, root FROM audit_log WHERE log_id = $1',
    [logId],
  );
  const [found] = head.rows;
  if (!found) throw new Error('no head');
  const { rows } = await store.pool.query<StoredRow>(
    'SELECT index, leaf, leaf_hash FROM audit_record WHERE log = $1 ORDER BY index',
    [found.number],
  );
  return { number: found.number, size: found.size, root: found.root.toString('hex'), rows };
}

/** Indexes without a gap, the naive tree's root, and every acknowledged record where it was said to be. */
export async function assertWhole(store: Store, logId: string, acknowledged: readonly Recorded[]): Promise<void> {
  const { size, root, rows } = await readLog(store, logId);
  assert.equal(rows.length, size);
  assert.deepEqual(
    rows.map((row) => row.index),
    rows.map((_, at) => at),
  );
  const leaves = rows.map((row) => leafHash(row.leaf));
  assert.equal(Buffer.from(naiveRoot(leaves)).toString('hex'), root);
  for (const { id, index, leafHash: hash } of acknowledged) {
    const leaf = JSON.parse(rows[index]?.leaf ?? '{}') as { id: string; index: number; log: string };
    assert.deepEqual({ id: leaf.id, index: leaf.index, log: leaf.log }, { id, index, log: logId });
    assert.equal(rows[index]?.leaf_hash.toString('hex'), hash);
    assert.equal(leaves[index]?.toString('hex'), hash);
  }
}
