import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/audit/open-log.ts';
import { parseAuditQuery } from '../../src/audit/query.ts';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { searchAudit } from '../../src/store/audit-search.ts';
import type { Store } from '../../src/store/open.ts';
import { startDatabases } from '../store/databases.ts';
import { intent } from './events.ts';
import { assertWhole } from './whole.ts';

test('the embedded database held up: callers are refused, and it goes on by itself', async () => {
  await using databases = await startDatabases('embedded');
  await using store = await databases.open('busy', { commitTimeoutMs: 200 });
  await using audit = await openLog(new AuditLogTable(store), 'busy', createLog('silent'));
  const acknowledged: Recorded[] = [await audit.append(intent())];
  for (let round = 0; round < 3; round += 1) {
    const holder = await store.connect('query');
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => audit.append(intent())));
    for (const result of results) {
      assert.ok(result.status === 'rejected' && (result.reason as { code?: string }).code === 'audit_unavailable');
    }
    holder.release();
    for (let done = false; !done; ) {
      await audit.append(intent()).then(
        (recorded) => {
          acknowledged.push(recorded);
          done = true;
        },
        () => undefined,
      );
    }
  }
  await assertWhole(store, 'busy', acknowledged);
});

test('appends go between the slices of a search, on a log that is searched from end to end', async () => {
  await using databases = await startDatabases('embedded');
  await using store = await databases.open('sliced', { commitTimeoutMs: 5_000 });
  await using audit = await openLog(new AuditLogTable(store), 'sliced', createLog('silent'));
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(Array.from({ length: 1_000 }, () => audit.append(intent())));
  }
  let turns = 0;
  const counted: Store = {
    ...store,
    connect(lane) {
      if (lane === 'search') turns += 1;
      return store.connect(lane);
    },
  };
  const between: number[] = [];
  let searching = true;
  const writer = (async () => {
    while (searching) {
      await audit.append(intent());
      between.push(turns);
    }
  })();
  const page = await searchAudit(counted, parseAuditQuery('no-such-word', Date.now()));
  searching = false;
  await writer;
  assert.deepEqual(page, { entries: [] });
  assert.ok(turns >= 3, 'a search of the whole log takes several turns');
  assert.ok(new Set(between).size >= turns - 1, 'and an append came through between any two');
});
