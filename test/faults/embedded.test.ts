import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import pg from 'pg';
import type { Browser } from '../identity/browser.ts';
import { type Installation, startInstallation } from './installation.ts';
import { assertRefusedDuring, type Fault, SHORT_COMMIT } from './refused.ts';
import { until } from './until.ts';
import { assertLogged } from './whole-log.ts';

describe('the relay while its embedded database is not well', () => {
  const threads = new Set<Worker>();
  const remember = (worker: Worker): unknown => threads.add(worker);
  let world: Installation;
  let browser: Browser;
  before(async () => {
    process.on('worker', remember);
    world = await startInstallation({ commitTimeout: SHORT_COMMIT });
    browser = await world.signIn();
  });
  after(async () => {
    process.off('worker', remember);
    await world[Symbol.asyncDispose]();
  });
  const execute = async (statement: string): Promise<void> => {
    const client = new pg.Client({ host: join(world.dataDir, 'database', 'lock'), user: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(statement);
    await client.end();
  };

  let held: Promise<void> = Promise.resolve();
  const faults: readonly Fault[] = [
    {
      name: 'without its table of records',
      strike: () => execute('ALTER TABLE audit_record RENAME TO elsewhere'),
      heal: () => execute('ALTER TABLE elsewhere RENAME TO audit_record'),
    },
    {
      name: 'held up',
      strike: async () => {
        held = execute('SELECT pg_sleep(2.5)');
      },
      heal: () => held,
    },
  ];
  for (const fault of faults) {
    test(`${fault.name}: refused while it lasts, nothing forwarded, well again by itself`, () =>
      assertRefusedDuring(fault, world, browser));
  }

  test('its thread crashes under load: nobody sees anything but 200 and 503, and it comes back', async () => {
    const crashed = [...threads];
    assert.equal(crashed.length, 1);
    let going = true;
    const statuses = new Set<number>();
    const load = Array.from({ length: 6 }, async () => {
      while (going) statuses.add((await browser.send(`${world.wiki}/crash`)).status);
    });
    await until(browser, `${world.wiki}/crash`, 200);
    for (const thread of crashed) await thread.terminate();
    await until(browser, `${world.wiki}/crash`, 503);
    await until(browser, `${world.wiki}/crash`, 200);
    going = false;
    await Promise.all(load);
    for (const status of statuses) assert.ok(status === 200 || status === 503, String(status));
  });

  test('another relay on the same directory is refused, and leaves this one alone', async () => {
    await assert.rejects(startInstallation({ dataDir: world.dataDir }), {
      code: 'config_invalid',
      message: /^A relay already runs on the data directory/,
    });
    assert.equal((await browser.send(`${world.wiki}/as-before`)).status, 200);
  });

  test('after all that, everything that was forwarded is in the log, and the log is whole', async () => {
    await world.stopRelay();
    await assertLogged(world, world.target.seen);
  });
});
