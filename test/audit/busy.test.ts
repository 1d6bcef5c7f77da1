import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../src/audit/open-log.ts';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
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
