import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/audit/open-log.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { intent } from '../audit/events.ts';
import { temporaryDirectory } from './databases.ts';

const KB = 1024;
const BOUNDS = { lookMs: 20, checkpointBytes: 512 * KB, vacuumBytes: 512 * KB, tidyMs: 20 };

test('the embedded database is kept in order while it is written to', async () => {
  await using directory = await temporaryDirectory();
  const log = createLog('silent');
  await using store = await openStore({ dataDir: directory.path, log, maintenance: BOUNDS });
  await using audit = await openLog(new AuditLogTable(store), 'tended', log);
  let largest = 0;
  const before = await state(store);
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 200 }, () => audit.append(intent())));
    largest = Math.max(largest, (await state(store)).wal_bytes);
  }
  for (let now = before; ; now = await state(store)) {
    const done =
      now.redo_bytes > before.redo_bytes && now.wal_bytes < 2 * BOUNDS.checkpointBytes && now.frozen > now.pages / 2;
    if (done && now.tuples > 0) break;
  }
  assert.ok(largest < 16 * BOUNDS.checkpointBytes, `${largest} bytes of write-ahead log since a checkpoint`);
});

test('what an earlier process left undone is done when it opens', async () => {
  await using directory = await temporaryDirectory();
  const options = { dataDir: directory.path, log: createLog('silent') };
  {
    await using store = await openStore(options);
    await using audit = await openLog(new AuditLogTable(store), 'left', options.log);
    await Promise.all(Array.from({ length: 1_000 }, () => audit.append(intent())));
    assert.equal((await state(store)).frozen, 0);
  }
  await using store = await openStore(options);
  const { pages, frozen, tuples } = await state(store);
  assert.ok(pages > 0 && frozen === pages && tuples > 0);
});

async function state(store: Store) {
  const { rows } = await store.pool.query<{
    pages: number;
    frozen: number;
    tuples: number;
    wal_bytes: number;
    redo_bytes: number;
  }>(
    `SELECT relpages AS pages, relallfrozen AS frozen, reltuples AS tuples,
       (pg_current_wal_lsn() - redo_lsn)::bigint AS wal_bytes, (redo_lsn - '0/0'::pg_lsn)::bigint AS redo_bytes
     FROM pg_class, pg_control_checkpoint() WHERE relname = 'audit_record'`,
  );
  const [found] = rows;
  assert.ok(found);
  return found;
}
