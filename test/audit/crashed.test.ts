import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openLog } from '../../src/audit/open-log.ts';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { openStore } from '../../src/store/open.ts';
import { temporaryDirectory } from '../store/databases.ts';
import { intent } from './events.ts';
import { assertWhole } from './whole.ts';

test('the thread of the embedded database crashes under load: it comes back, with all it had acknowledged', async (t) => {
  const threads = new Set<Worker>();
  const remember = (worker: Worker): unknown => threads.add(worker);
  process.on('worker', remember);
  t.after(() => process.off('worker', remember));
  await using directory = await temporaryDirectory();
  await using store = await openStore({ dataDir: directory.path, log: createLog('silent'), commitTimeoutMs: 500 });
  await using audit = await openLog(new AuditLogTable(store), 'crashed', createLog('silent'));
  const acknowledged: Recorded[] = [];
  let goal = 200;
  let crashed = false;
  const writers = Array.from({ length: 8 }, async () => {
    while (acknowledged.length < goal) {
      await audit.append(intent()).then(
        (recorded) => acknowledged.push(recorded),
        () => undefined,
      );
      if (acknowledged.length >= 100 && !crashed) {
        crashed = true;
        goal = acknowledged.length + 200;
        for (const thread of threads) await thread.terminate();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await Promise.all(writers);
  assert.equal(threads.size, 2);
  await assertWhole(store, 'crashed', acknowledged);
});
