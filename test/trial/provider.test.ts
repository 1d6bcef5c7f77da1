import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as client from 'openid-client';
import { type RunningProvider, startProvider } from '../../trial/provider.ts';
import { freePort } from '../e2e/free-port.ts';
import { Browser } from './browser.ts';

const RELAY = 'http://postern.localhost:9';

test('an account with its password signs in, with its groups and a verified e-mail', async () => {
  await using world = await startWorld();
  const { claims } = await signIn(world, new Browser(), 'alice', 'alice');
  assert.equal(claims?.sub, 'alice');
  assert.equal(claims['email'], 'alice@example.com');
  assert.equal(claims['email_verified'], true);
  assert.deepEqual(claims['groups'], ['employees', 'engineering']);
});

test('another password signs nobody in and says so', async () => {
  await using world = await startWorld();
  const { page, claims } = await signIn(world, new Browser(), 'alice', 'bob');
  assert.equal(claims, undefined);
  assert.match(page, /do not match/);
});

test('signing out ends the session without asking, and the next sign-in asks for a password', async () => {
  await using world = await startWorld();
  const browser = new Browser();
  const { idToken } = await signIn(world, browser, 'bob', 'bob');
  const url = client.buildEndSessionUrl(world.config, {
    post_logout_redirect_uri: `${RELAY}/`,
    id_token_hint: idToken ?? '',
  });
  const page = await browser.visit(url.href);
  assert.match(page.text, /\.submit\(\)/);
  const done = await browser.submit(page, { logout: 'yes' });
  assert.equal(done.url, `${RELAY}/`);
  const again = await signIn(world, browser, undefined, undefined);
  assert.match(again.page, /name="password"/);
});

test('its keys outlive a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-provider-'));
  const keys = async () => {
    await using world = await startWorld(directory);
    return (await fetch(`${world.provider.issuer}/jwks`)).text();
  };
  const before = await keys();
  assert.equal(await keys(), before);
  await rm(directory, { recursive: true });
});

interface World extends AsyncDisposable {
  readonly provider: RunningProvider;
  readonly config: client.Configuration;
}

async function startWorld(directory = mkdtempSync(join(tmpdir(), 'postern-provider-'))): Promise<World> {
  const provider = await startProvider({ port: await freePort(), directory, relay: RELAY, clientSecret: 'a-secret' });
  const config = await client.discovery(new URL(provider.issuer), 'postern', 'a-secret', undefined, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
  return { provider, config, [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose]() };
}

async function signIn(world: World, browser: Browser, name: string | undefined, password: string | undefined) {
  const verifier = client.randomPKCECodeVerifier();
  const nonce = client.randomNonce();
  const state = client.randomState();
  const start = client.buildAuthorizationUrl(world.config, {
    redirect_uri: `${RELAY}/oidc/callback`,
    scope: 'openid email profile groups',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
  });
  let page = await browser.visit(start.href);
  if (name !== undefined) page = await browser.submit(page, { username: name, password: password ?? '' });
  if (!page.url.startsWith(RELAY)) return { page: page.text, claims: undefined, idToken: undefined };
  const tokens = await client.authorizationCodeGrant(world.config, new URL(page.url), {
    pkceCodeVerifier: verifier,
    expectedNonce: nonce,
    expectedState: state,
  });
  return { page: page.text, claims: tokens.claims(), idToken: tokens.id_token };
}
