import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AuditLog, openLog } from '../../src/audit/open-log.ts';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import type { Secret } from '../../src/lib/secret.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { type Cluster, startPostgres, temporaryDirectory } from '../store/databases.ts';
import { intent } from './events.ts';
import { assertWhole, readLog } from './whole.ts';

const log = createLog('silent');
const BOUND_MS = 400;

describe('audit log while PostgreSQL is not well', () => {
  let cluster: Cluster;
  let url: Secret;
  let store: Store;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  before(async () => {
    [cluster, directory] = await Promise.all([startPostgres(), temporaryDirectory()]);
    url = await cluster.createDatabase();
    store = await openStore({ databaseUrl: url, dataDir: directory.path, log, commitTimeoutMs: BOUND_MS });
  });
  after(async () => {
    await store[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test('frozen in the middle of commits: callers are refused within the bound, nothing forks, it recovers', async () => {
    await using audit = await openLog(new AuditLogTable(store), 'frozen', log);
    const traffic = startTraffic(audit);
    for (let round = 0; round < 4; round += 1) {
      const before = traffic.acknowledged.length;
      await traffic.until(() => traffic.acknowledged.length > before + 20);
      const refused = traffic.refused.length;
      await cluster.freeze();
      // Every caller has its answer while the database is still frozen.
      await traffic.until(() => traffic.refused.length >= refused + 8);
      await cluster.thaw();
    }
    const { acknowledged, refused } = await traffic.stop();
    for (const each of refused) assert.ok(hasCode(each.error, 'audit_unavailable'));
    await audit.append(intent());
    await assertWhole(store, 'frozen', acknowledged);
    await assertNotForwarded(store, 'frozen', new Set(refused.map((each) => each.id)));
  });

  test('every connection cut again and again: no acknowledged record is lost, nothing forks', async () => {
    await using audit = await openLog(new AuditLogTable(store), 'cut', log);
    const traffic = startTraffic(audit);
    for (let round = 0; round < 10; round += 1) {
      const before = traffic.acknowledged.length;
      await traffic.until(() => traffic.acknowledged.length > before + 20);
      await store.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern append'`,
      );
    }
    const { acknowledged, refused } = await traffic.stop();
    assert.deepEqual(refused, []);
    await assertWhole(store, 'cut', acknowledged);
  });

  test('read-only: refused with audit_unavailable, and well again without a restart', async () => {
    await using audit = await openLog(new AuditLogTable(store), 'read-only', log);
    const before = await audit.append(intent());
    await store.pool.query(`ALTER DATABASE ${databaseOf(url)} SET default_transaction_read_only = on`);
    await store.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern append'`,
    );
    await assert.rejects(audit.append(intent()), { code: 'audit_unavailable' });
    await assert.rejects(audit.append(intent()), { code: 'audit_unavailable' });
    const client = await store.pool.connect();
    await client.query('SET default_transaction_read_only = off');
    await client.query(`ALTER DATABASE ${databaseOf(url)} RESET default_transaction_read_only`);
    client.release(true);
    const traffic = startTraffic(audit);
    await traffic.until(() => traffic.acknowledged.length > 0);
    const { acknowledged } = await traffic.stop();
    await assertWhole(store, 'read-only', [before, ...acknowledged]);
  });

  test('a head that somebody else moved closes the log', async () => {
    await using audit = await openLog(new AuditLogTable(store), 'moved', log);
    await store.pool.query(`UPDATE audit_log SET size = size + 1 WHERE log_id = 'moved'`);
    await assert.rejects(audit.append(intent()), { code: 'audit_fenced' });
    await assert.rejects(openLog(new AuditLogTable(store), 'moved', log));
  });
});

test('a PostgreSQL that can lose acknowledged rows is refused', async () => {
  await using cluster = await startPostgres(['fsync=off']);
  await using directory = await temporaryDirectory();
  const options = { databaseUrl: cluster.url, dataDir: directory.path, log };
  await assert.rejects(openStore(options), { code: 'database_unsafe' });
});

interface Refused {
  readonly id: string;
  readonly error: unknown;
}

/** Eight callers that append one intent after the other. */
function startTraffic(audit: AuditLog) {
  const acknowledged: Recorded[] = [];
  const refused: Refused[] = [];
  let running = true;
  let tell = (): void => undefined;
  const callers = Array.from({ length: 8 }, async () => {
    while (running) {
      const event = intent();
      await audit.append(event).then(
        (recorded) => acknowledged.push(recorded),
        (error: unknown) => refused.push({ id: event.id, error }),
      );
      tell();
      // A refusal at once must not spin.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return {
    acknowledged,
    refused,
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await new Promise<void>((resolve) => (tell = resolve));
    },
    async stop() {
      running = false;
      await Promise.all(callers);
      return { acknowledged, refused };
    },
  };
}

/** A refused intent that is in the log all the same has the outcome that says so. */
async function assertNotForwarded(store: Store, logId: string, refused: ReadonlySet<string>): Promise<void> {
  const wanted = new Set<string>();
  const found = new Set<string>();
  // Outcomes go with a later batch.
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { rows } = await readLog(store, logId);
    for (const row of rows) {
      const leaf = JSON.parse(row.leaf) as { id: string; kind: string; intent?: string; end?: string };
      if (leaf.kind === 'access.intent' && refused.has(leaf.id)) wanted.add(leaf.id);
      if (leaf.end === 'not_forwarded' && leaf.intent !== undefined) found.add(leaf.intent);
    }
    if (wanted.size === found.size) break;
  }
  assert.deepEqual(found, wanted);
}

function databaseOf(url: Secret): string {
  return new URL(url.reveal().replace('postgresql://postgres@/', 'postgresql://postgres@localhost/')).pathname.slice(1);
}
