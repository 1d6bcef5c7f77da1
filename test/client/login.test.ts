import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { login } from '../../src/client/login.ts';
import { listenForCode } from '../../src/client/loopback.ts';
import { sha256 } from '../../src/lib/bytes.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { startTokenEndpoint } from './token-endpoint.ts';

test('the redirect with our state ends the sign-in; the code is exchanged with the verifier of the challenge', async () => {
  await using relay = await startTokenEndpoint({
    token: 'pst_x',
    expiresAt: 2_000_000_000_000,
    person: 'alice@example.com',
  });
  const visited = Promise.withResolvers<URL>();
  const signingIn = login({
    relay: relay.origin,
    visit: (url) => visited.resolve(new URL(url)),
    signal: AbortSignal.timeout(10_000),
  });
  const query = (await visited.promise).searchParams;
  const page = await fetch(`${query.get('redirect_uri')}?code=abc&state=${query.get('state')}`);
  assert.match(await page.text(), /You are signed in/);
  const credential = await signingIn;
  assert.equal(credential.person, 'alice@example.com');
  assert.equal(credential.token.reveal(), 'pst_x');
  const sent = relay.received[0] as { code: string; verifier: string; redirectUri: string };
  assert.equal(sent.code, 'abc');
  assert.equal(sent.redirectUri, query.get('redirect_uri'));
  assert.equal(sha256(sent.verifier).toString('base64url'), query.get('code_challenge'));
});

test('a redirect with another state is turned away, and the command waits on', async () => {
  await using listener = await listenForCode('right');
  const waiting = listener.code(AbortSignal.timeout(10_000));
  const wrong = await fetch(`${listener.redirectUri}?code=planted&state=wrong`);
  assert.equal(wrong.status, 400);
  const bare = await fetch(`${listener.redirectUri}?code=planted`);
  assert.equal(bare.status, 400);
  const noAddress = httpGet(listener.redirectUri, { path: '//[' });
  const [answer] = (await once(noAddress, 'response')) as [IncomingMessage];
  assert.equal(answer.resume().statusCode, 404);
  await fetch(`${listener.redirectUri}?code=ours&state=right`);
  assert.equal(await waiting, 'ours');
});

test('a refusal at the relay is a refusal here', async () => {
  await using listener = await listenForCode('s');
  const refused = assert.rejects(listener.code(AbortSignal.timeout(10_000)), (error) =>
    hasCode(error, 'sign_in_refused'),
  );
  await fetch(`${listener.redirectUri}?error=access_denied&state=s`);
  await refused;
});

test('stopping the command stops the waiting', async () => {
  await using listener = await listenForCode('s');
  const stop = new AbortController();
  const waiting = listener.code(stop.signal);
  stop.abort();
  await assert.rejects(waiting, (error) => hasCode(error, 'aborted'));
});
