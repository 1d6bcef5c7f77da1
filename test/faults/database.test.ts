import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser } from '../identity/browser.ts';
import { type Cluster, execute, startPostgres } from '../store/databases.ts';
import { type Installation, startInstallation } from './installation.ts';
import { assertRefusedDuring, type Fault, SHORT_COMMIT } from './refused.ts';
import { until } from './until.ts';
import { assertLogged } from './whole-log.ts';
import { type Cut, startWire, type Wire } from './wire.ts';

const AT_ONCE = 6;
const ROLE = 'postern';

describe('the relay while PostgreSQL is not well', () => {
  let cluster: Cluster;
  let wire: Wire;
  let databaseUrl: string;
  let world: Installation;
  let browser: Browser;
  before(async () => {
    cluster = await startPostgres();
    wire = await startWire(cluster);
    const url = (await cluster.createDatabase()).reveal();
    await execute(cluster.url, `CREATE ROLE ${ROLE} LOGIN`);
    await execute(cluster.url, `ALTER DATABASE d1 OWNER TO ${ROLE}`);
    databaseUrl = url.replace('postgres@', `${ROLE}@`);
    world = await startInstallation({ databaseUrl: wire.through(databaseUrl), commitTimeout: SHORT_COMMIT });
    browser = await world.signIn();
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await wire[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  const asOwner = (statement: string): Promise<void> => execute(urlOf('postgres'), statement);
  const urlOf = (user: string) => ({ reveal: () => databaseUrl.replace(`${ROLE}@`, `${user}@`) });
  const holds = (): Promise<unknown> => assertLogged({ databaseUrl, dataDir: world.dataDir }, world.target.seen);

  const faults: readonly Fault[] = [
    { name: 'stopped', strike: () => cluster.stop(), heal: () => cluster.start() },
    { name: 'frozen', strike: () => cluster.freeze(), heal: () => cluster.thaw() },
    {
      name: 'read-only',
      strike: async () => {
        await asOwner('ALTER SYSTEM SET default_transaction_read_only = on');
        await asOwner('SELECT pg_reload_conf()');
      },
      heal: async () => {
        await execute(
          { reveal: () => `${urlOf('postgres').reveal()}&options=-c%20default_transaction_read_only%3Doff` },
          'ALTER SYSTEM RESET default_transaction_read_only',
        );
        await asOwner('SELECT pg_reload_conf()');
      },
    },
    {
      name: 'without the right to insert',
      strike: () => asOwner(`REVOKE INSERT ON audit_record FROM ${ROLE}`),
      heal: () => asOwner(`GRANT INSERT ON audit_record TO ${ROLE}`),
    },
    {
      name: 'without its table of records',
      strike: () => asOwner('ALTER TABLE audit_record RENAME TO elsewhere'),
      heal: () => asOwner('ALTER TABLE elsewhere RENAME TO audit_record'),
    },
    {
      name: 'answering later than the bound',
      strike: async () => {
        wire.delayMs = 700;
      },
      heal: async () => {
        wire.delayMs = 0;
      },
    },
  ];

  for (const fault of faults) {
    test(`${fault.name}: refused while it lasts, nothing forwarded, well again by itself, the log whole`, async () => {
      await assertRefusedDuring(fault, world, browser);
      await holds();
    });
  }

  test('cut off in the middle of commits: no request without its intent, and the log does not fork', async () => {
    const ways: Cut[] = ['before it arrives', 'as it leaves', 'when it was answered'];
    const statuses = new Set<number>();
    let going = true;
    const load = Array.from({ length: AT_ONCE }, async () => {
      while (going) statuses.add((await browser.send(`${world.wiki}/cut`)).status);
    });
    for (let round = 0; round < 12; round += 1) {
      const { cuts } = wire;
      wire.cutNext(ways[round % ways.length] ?? 'as it leaves');
      while (wire.cuts === cuts) await new Promise((resolve) => setImmediate(resolve));
    }
    going = false;
    await Promise.all(load);
    for (const status of statuses) assert.ok(status === 200 || status === 503, String(status));
    await until(browser, `${world.wiki}/after`, 200);
    await holds();
  });
});

test('a PostgreSQL that can forget what it acknowledged is refused at start, also where only this database may', async () => {
  const start = (url: string) => startInstallation({ databaseUrl: url, withoutAgent: true });
  const refusalOf = (setting: string) => ({
    code: 'database_unsafe',
    message: new RegExp(`^The database runs with ${setting} = off`),
  });
  for (const setting of ['fsync', 'full_page_writes']) {
    await using unsafe = await startPostgres([`${setting}=off`]);
    await assert.rejects(start((await unsafe.createDatabase()).reveal()), refusalOf(setting));
  }
  await using cluster = await startPostgres();
  const url = await cluster.createDatabase();
  await execute(url, `ALTER DATABASE d1 SET synchronous_commit = off`);
  await assert.rejects(start(url.reveal()), refusalOf('synchronous_commit'));
  await execute(url, `ALTER DATABASE d1 RESET synchronous_commit`);
  await using safe = await start(url.reveal());
  assert.equal((await new Browser().send(`${safe.origin}/api/v1/me`)).status, 401);
});
