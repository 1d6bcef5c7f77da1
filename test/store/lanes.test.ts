import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Lane, Store } from '../../src/store/open.ts';
import { startDatabases, type TestDatabases } from './databases.ts';

describe('lanes of the embedded database', () => {
  let databases: TestDatabases;
  let store: Store;
  before(async () => {
    databases = await startDatabases('embedded');
    store = await databases.open('lanes');
  });
  after(async () => {
    await store[Symbol.asyncDispose]();
    await databases[Symbol.asyncDispose]();
  });

  test('an append waits for one turn at most, and nobody starves', async () => {
    const order: Lane[] = [];
    const holder = await store.connect('search');
    const turn = async (lane: Lane): Promise<void> => {
      const client = await store.connect(lane);
      order.push(lane);
      await client.query('SELECT 1');
      client.release();
    };
    const lanes: Lane[] = [
      ...Array<Lane>(12).fill('search'),
      ...Array<Lane>(12).fill('query'),
      ...Array<Lane>(12).fill('append'),
    ];
    const all = lanes.map(turn);
    holder.release();
    await Promise.all(all);
    assert.equal(order[0], 'append');
    const appends = order.flatMap((lane, at) => (lane === 'append' ? [at] : []));
    assert.deepEqual(
      appends.slice(1).map((at, nth) => at - (appends[nth] ?? 0)),
      Array(11).fill(2),
    );
    assert.ok(order.indexOf('search') < order.lastIndexOf('query'));
    assert.ok(order.indexOf('query') < order.indexOf('search'));
  });

  test('pool.query and transactions wait for their turn like all others', async () => {
    const holder = await store.connect('append');
    const results = Promise.all([
      store.pool.query('SELECT 1 AS n'),
      store.db.transaction(async (tx) => tx.execute<{ n: number }>('SELECT 2 AS n')),
      store.db.execute<{ n: number }>('SELECT 3 AS n'),
    ]);
    await holder.query('SELECT 4');
    holder.release();
    assert.deepEqual(
      (await results).map((result) => result.rows),
      [[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]],
    );
  });

  test('a connection that breaks leaves no setting, transaction, statement or lock to the next', async () => {
    const broken = await store.connect('query');
    await broken.query('BEGIN');
    await broken.query(`SET search_path = nowhere`);
    await broken.query({ name: 'once', text: 'SELECT 1' });
    await broken.query('SELECT pg_advisory_lock(1)');
    broken.release(true);
    const next = await store.connect('query');
    const path = await next.query<{ search_path: string }>('SHOW search_path');
    assert.ok(path.rows[0]?.search_path.includes('public'));
    await next.query({ name: 'once', text: 'SELECT 2' });
    const locks = await next.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`);
    assert.equal(locks.rows.length, 0);
    next.release();
  });
});
