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
import { assertWhole, readLog } from './whole.ts';

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
        // A refusal at once must not spin.
        () => new Promise((resolve) => setImmediate(resolve)),
      );
    }
  }
  await assertWhole(store, 'busy', acknowledged);
});

test('an intent that landed too late is noted as not forwarded, also when nothing else is written any more', async () => {
  await using databases = await startDatabases('embedded');
  await using store = await databases.open('late', { commitTimeoutMs: 200 });
  let landed: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    landed = resolve;
  });
  class SlowToSay extends AuditLogTable {
    isHeld = false;
    override async commit(...batch: Parameters<AuditLogTable['commit']>): Promise<boolean> {
      const is = await super.commit(...batch);
      if (this.isHeld) await held;
      return is;
    }
  }
  const table = new SlowToSay(store);
  const late = intent();
  {
    await using audit = await openLog(table, 'late', createLog('silent'));
    table.isHeld = true;
    await assert.rejects(audit.append(late), { code: 'audit_unavailable' });
    table.isHeld = false;
    const refused = assert.rejects(audit.append(intent({ id: 'no uuid' })), { code: 'request_invalid' });
    landed?.();
    await refused;
  }
  const { rows } = await readLog(store, 'late');
  const leaves = rows.map(({ leaf }) => JSON.parse(leaf) as { id: string; intent?: string; end?: string });
  assert.ok(leaves.some(({ id }) => id === late.id));
  assert.ok(leaves.some((leaf) => leaf.intent === late.id && leaf.end === 'not_forwarded'));
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
