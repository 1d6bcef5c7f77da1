import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { openLog } from '../../src/audit/open-log.ts';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { sortableId } from '../../src/lib/id.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases, type TestDatabases } from '../store/databases.ts';
import { intent } from './events.ts';
import { assertWhole, readLog } from './whole.ts';

const log = createLog('silent');

for (const kind of KINDS) {
  describe(`audit log on ${kind}`, () => {
    let databases: TestDatabases;
    let store: Store;
    before(async () => {
      databases = await startDatabases(kind);
      store = await databases.open('log');
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
      await databases[Symbol.asyncDispose]();
    });

    test('an event is a record once append resolves, and the log goes on after a restart', async () => {
      const recorded: Recorded[] = [];
      for (let round = 0; round < 3; round += 1) {
        await using audit = await openLog(new AuditLogTable(store), 'restarts', log);
        recorded.push(await audit.append(intent()));
        const [row] = (await readLog(store, 'restarts')).rows.slice(-1);
        assert.equal(row?.leaf_hash.toString('hex'), recorded.at(-1)?.leafHash);
      }
      assert.deepEqual(
        recorded.map((each) => each.index),
        [1, 3, 5],
      );
      await assertWhole(store, 'restarts', recorded);
      const { rows } = await readLog(store, 'restarts');
      const opened = JSON.parse(rows[4]?.leaf ?? '') as Record<string, unknown>;
      assert.equal(opened['kind'], 'log.opened');
      assert.equal(opened['epoch'], 3);
    });

    test('whatever comes together, indexes have no gap and the root is that of the naive tree', async () => {
      await using audit = await openLog(new AuditLogTable(store), 'together', log);
      const acknowledged: Recorded[] = [];
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }), async (writers) => {
          const all = writers.map(async (count) => {
            for (let at = 0; at < count; at += 7) {
              const some = Array.from({ length: Math.min(7, count - at) }, () => audit.append(intent()));
              acknowledged.push(...(await Promise.all(some)));
            }
          });
          await Promise.all(all);
        }),
        { numRuns: 20 },
      );
      await assertWhole(store, 'together', acknowledged);
    });

    test('what cannot be a record is refused alone', async () => {
      await using audit = await openLog(new AuditLogTable(store), 'refused', log);
      const results = await Promise.allSettled([
        audit.append(intent()),
        audit.append(intent({ id: 'no uuid' })),
        audit.append(intent({ at: 1.5 })),
        audit.append(intent({ personal: { path: 'x'.repeat(300_000) } })),
        audit.append(intent({ personal: { name: 'nul \0 and \ud800 lone' } })),
      ]);
      assert.deepEqual(
        results.map((result) => result.status),
        ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
      );
      await assertWhole(store, 'refused', []);
    });

    test('a second writer fences the first, for good', async () => {
      await using first = await openLog(new AuditLogTable(store), 'fenced', log);
      const before = await first.append(intent());
      await using second = await openLog(new AuditLogTable(store), 'fenced', log);
      await assert.rejects(first.append(intent()), { code: 'audit_fenced' });
      await assert.rejects(first.append(intent()), { code: 'audit_fenced' });
      const after = await second.append(intent());
      await assertWhole(store, 'fenced', [before, after]);
    });

    test('facts are stored under the hash of salt and body', async () => {
      await using audit = await openLog(new AuditLogTable(store), 'facts', log);
      const hash = await audit.recordFacts({ groups: ['b', 'a'], claims: { acr: null, ratio: 1.5 } });
      const { rows } = await store.pool.query<{ body: string }>('SELECT body FROM audit_fact WHERE hash = $1', [
        Buffer.from(hash, 'hex'),
      ]);
      assert.deepEqual(rows, [{ body: '{"claims":{"acr":null,"ratio":1.5},"groups":["b","a"]}' }]);
    });

    test('outcomes stand beside their intents', async () => {
      await using audit = await openLog(new AuditLogTable(store), 'outcomes', log);
      const asked = await audit.append(intent());
      const ended = await audit.append({
        kind: 'access.outcome',
        id: sortableId(),
        at: Date.now(),
        intent: asked.id,
        resource: 'wiki',
        end: 'completed',
        status: 200,
        bytesUp: 0,
        bytesDown: 12,
        durationMs: 3,
      });
      const { rows } = await store.pool.query('SELECT index FROM audit_record WHERE ref = $1 ORDER BY index', [
        asked.id,
      ]);
      assert.deepEqual(rows, [{ index: asked.index }, { index: ended.index }]);
    });
  });
}
