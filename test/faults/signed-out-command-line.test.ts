import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/lib/bytes.ts';
import { Browser } from '../identity/browser.ts';
import { type Installation, startInstallation } from './installation.ts';
import { openTransfer } from './transfer.ts';
import { assertLogged } from './whole-log.ts';

test('a command line that signs out: what its tokens opened is cut, what the browser opened goes on', async () => {
  await using world = await startInstallation({});
  const browser = await world.signIn();
  const mine = await login(world, browser);
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
  assert.notEqual(reasonOf(byToken.reference), 'relay_stopping');
  assert.equal(reasonOf(inBrowser.reference), 'relay_stopping');
});

async function login({ origin }: Installation, browser: Browser): Promise<string> {
  const verifier = 'v'.repeat(43);
  const redirectUri = 'http://127.0.0.1:4000/callback';
  const challenge = sha256(verifier).toString('base64url');
  const asked = { redirectUri, state: 's', challenge, machine: 'laptop', answer: 'allow' };
  const { body } = await browser.json(`${origin}/cli/authorize`, 'POST', asked);
  const code = new URL((JSON.parse(body) as { location: string }).location).searchParams.get('code');
  const redeemed = await new Browser().json(`${origin}/cli/token`, 'POST', { code, verifier, redirectUri });
  return (JSON.parse(redeemed.body) as { token: string }).token;
}

function call({ origin }: Installation, token: string, method: string, path: string, body: object = {}) {
  return new Browser().json(`${origin}${path}`, method, body, { 'postern-token': token });
}
