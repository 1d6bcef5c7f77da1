import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/domain/change.ts';
import { KINDS, startDatabases, type TestDatabases } from './databases.ts';

for (const kind of KINDS) {
  describe(`store on ${kind}`, () => {
    let databases: TestDatabases;
    before(async () => {
      databases = await startDatabases(kind);
    });
    after(() => databases[Symbol.asyncDispose]());

    test('opens twice, one after the other, and keeps its data', async () => {
      {
        await using store = await databases.open('again');
        await store.pool.query('CREATE TABLE kept (value bigint)');
        await store.pool.query('INSERT INTO kept VALUES (42)');
      }
      await using store = await databases.open('again');
      const { rows } = await store.pool.query('SELECT value FROM kept');
      assert.deepEqual(rows, [{ value: 42 }]);
    });

    test('a failed statement, a failed transaction and a dropped connection leave the next ones well', async () => {
      await using store = await databases.open('errors');
      for (let round = 0; round < 20; round += 1) {
        await assert.rejects(store.pool.query('SELECT $1::int / 0', [1]));
        await assert.rejects(
          store.db.transaction(async (tx) => {
            await tx.execute('SELECT 1');
            await tx.execute('SELECT 1/0');
          }),
        );
        const client = await store.pool.connect();
        await client.query('BEGIN');
        client.release(true);
        const { rows } = await store.pool.query('SELECT $1::int AS n', [round]);
        assert.deepEqual(rows, [{ n: round }]);
      }
    });

    test('changes arrive in order, only when committed, at every follower', async () => {
      await using store = await databases.open('changes');
      const stop = new AbortController();
      const seen: Change[] = [];
      const all = Promise.withResolvers<void>();
      await store.changes.follow(
        (change) => {
          seen.push(change);
          if (seen.length === 30) all.resolve();
        },
        { signal: stop.signal },
      );
      await assert.rejects(
        store.db.transaction(async (tx) => {
          await store.changes.publish(tx, { kind: 'agent_revoked', agent: 'rolled back' });
          throw new Error('no');
        }),
      );
      await Promise.all(
        Array.from({ length: 30 }, (_, at) =>
          store.db.transaction((tx) => store.changes.publish(tx, { kind: 'agent_revoked', agent: `a${at}` })),
        ),
      );
      await all.promise;
      stop.abort();
      const agents = seen.map((change) => (change.kind === 'agent_revoked' ? change.agent : '?'));
      assert.deepEqual(new Set(agents), new Set(Array.from({ length: 30 }, (_, at) => `a${at}`)));
      const { rows } = await store.pool.query<{ agent: string }>(
        `SELECT body->>'agent' AS agent FROM change ORDER BY seq`,
      );
      assert.deepEqual(
        agents,
        rows.map((row) => row.agent),
      );
      assert.ok(Number.isFinite(store.changes.silenceMs));
    });
  });
}
