import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pause } from '../../src/lib/wait.ts';
import { Browser } from '../identity/browser.ts';
import { commandLineToken } from '../identity/command-line-token.ts';
import { startDatabases } from '../store/databases.ts';
import { type Installation, startInstallation } from './installation.ts';
import { openTransfer } from './transfer.ts';
import { assertLogged } from './whole-log.ts';

test('a command line that signs out: what its tokens opened is cut, what the browser opened goes on', async () => {
  await using world = await startInstallation({});
  const browser = await world.signIn();
  const mine = await commandLineToken(world.origin, browser);
  const { token } = JSON.parse((await call(world, mine, 'POST', '/api/v1/tokens', { audience: world.wiki })).body) as {
    token: string;
  };
  const inBrowser = await openTransfer(world, browser);
  const byToken = await openTransfer(world, { 'postern-token': token });
  assert.equal((await call(world, mine, 'DELETE', '/api/v1/tokens/current')).status, 200);
  assert.equal(await byToken.ended, 'broken');
  const refused = await new Browser().send(`${world.wiki}/late`, { headers: { 'postern-token': token } });
  assert.equal(refused.status, 401);
  assert.equal((await browser.send(`${world.wiki}/fine`)).status, 200);
  await world.stopRelay();
  assert.equal(await inBrowser.ended, 'broken');
  const leaves = await assertLogged(world, world.target.seen);
  const reasonOf = (reference: string) => leaves.find(({ intent }) => intent === reference)?.reason;
  assert.equal(reasonOf(byToken.reference), 'session_revoked');
  assert.equal(reasonOf(inBrowser.reference), 'relay_stopping');
});

test('on two relays: what is revoked at one is cut at the other', async () => {
  await using databases = await startDatabases('postgres');
  const databaseUrl = (await databases.place('both')).databaseUrl?.reveal() ?? assert.fail('no database');
  await using here = await startInstallation({ databaseUrl, id: 'here', agent: 'lab' });
  await using there = await startInstallation({ databaseUrl, dataKeyOf: here.dataDir });
  const atHome = await here.signIn();
  const mine = await commandLineToken(here.origin, atHome);
  const service = new Browser();
  const admin = (path: string, body: object) => call(here, mine, 'POST', `/api/v1/services${path}`, body);
  assert.equal((await admin('', { name: 'ci', owner: 'ops' })).status, 200);
  writeFileSync(
    join(dirname(there.relayFile), 'policies', 'ci.yaml'),
    'rules:\n  - { id: ci, effect: allow, who: [service:ci], what: [resource:wiki] }\n',
  );
  const issued = await admin('/ci/tokens', { scope: ['wiki'], expiresAt: Date.now() + 3_600_000 });
  const { id, token } = JSON.parse(issued.body) as { id: string; token: string };
  const headers = { 'postern-token': token };
  while ((await service.send(`${there.wiki}/rule-in-force`, { headers })).status !== 200) await pause(20);
  const transfer = await openTransfer(there, headers);
  assert.equal((await admin(`/ci/tokens/${id}/revoke`, {})).status, 200);
  assert.equal(await transfer.ended, 'broken');
  assert.equal((await service.send(`${there.wiki}/late`, { headers })).status, 401);
  await there.stopRelay();
  const leaves = await assertLogged({ databaseUrl, dataDir: there.dataDir }, there.target.seen);
  const outcome = leaves.find(({ intent }) => intent === transfer.reference);
  assert.deepEqual([outcome?.end, outcome?.reason], ['terminated', 'session_revoked']);
});

function call({ origin }: Installation, token: string, method: string, path: string, body: object = {}) {
  return new Browser().json(`${origin}${path}`, method, body, { 'postern-token': token });
}
