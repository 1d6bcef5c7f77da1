import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, startPostgres } from '../store/databases.ts';
import { startInstallation } from './installation.ts';
import { openTransfer } from './transfer.ts';
import { until } from './until.ts';
import { assertLogged } from './whole-log.ts';

test('a relay that cannot hear of revocations takes nothing new, then cuts what is open, then goes on by itself', async () => {
  await using cluster = await startPostgres();
  const url = await cluster.createDatabase();
  await using world = await startInstallation({
    databaseUrl: url.reveal(),
    relay: { authority: { refuseAfterMs: 1_000, cutAfterMs: 2_000 } },
  });
  const browser = await world.signIn();
  const transfer = await openTransfer(world, browser);
  await execute(url, 'ALTER TABLE change RENAME TO elsewhere');
  await until(browser, `${world.wiki}/striking`, 503);
  const refused = await browser.send(`${world.wiki}/during`);
  assert.equal(refused.status, 503);
  assert.match(refused.body, /database_unavailable/);
  // Nor at the relay's own host, where sessions and much of what it shows are in memory as well.
  assert.equal((await browser.send(`${world.origin}/api/v1/me`)).status, 503);
  assert.equal(await transfer.ended, 'broken');
  await execute(url, 'ALTER TABLE elsewhere RENAME TO change');
  await until(browser, `${world.wiki}/after`, 200);
  assert.equal((await browser.send(`${world.origin}/api/v1/me`)).status, 200, 'its twin');
  await world.stopRelay();
  const leaves = await assertLogged({ databaseUrl: url.reveal(), dataDir: world.dataDir }, world.target.seen);
  const outcome = leaves.find(({ intent }) => intent === transfer.reference);
  assert.deepEqual([outcome?.end, outcome?.reason], ['terminated', 'authority_lost']);
  assert.ok(!world.target.seen.some(({ target }) => target === '/during'));
});

test('two relays of one id: the older one is fenced, takes nothing more, cuts what is open, and says so', async () => {
  await using cluster = await startPostgres();
  const databaseUrl = (await cluster.createDatabase()).reveal();
  await using older = await startInstallation({ databaseUrl });
  const atOlder = await older.signIn();
  const transfer = await openTransfer(older, atOlder);
  await using newer = await startInstallation({ databaseUrl, dataKeyOf: older.dataDir, agent: 'lab' });
  const atNewer = await newer.signIn();

  const seen = older.target.seen.length;
  const refusals = await Promise.all(Array.from({ length: 4 }, () => atOlder.send(`${older.wiki}/late`)));
  for (const { status } of refusals) assert.equal(status, 503);
  assert.equal(older.target.seen.length, seen);
  assert.equal(await transfer.ended, 'broken');
  const line = await older.lines.saw('closed to this process');
  assert.ok(line.level >= 50);
  assert.match(
    String(line['error']),
    /Another process writes to the audit log relay-1\. Give each relay an id of its own/,
  );

  assert.equal((await atNewer.send(`${newer.wiki}/fine`)).status, 200);
  await older.stopRelay();
  await newer.stopRelay();
  await assertLogged({ databaseUrl, dataDir: newer.dataDir }, [...older.target.seen, ...newer.target.seen]);
});
