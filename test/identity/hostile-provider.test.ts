import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createProvider } from '../../src/identity/provider/provider.ts';
import { SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { startDatabases } from '../store/databases.ts';
import { type Answer, Browser } from './browser.ts';
import { type HostileProvider, startHostileProvider, type Variant } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);

const REFUSED: Readonly<Record<string, () => Variant>> = {
  'a tampered payload': () => ({ signature: 'of-other-claims' }),
  'a key that the provider does not publish': () => ({ signature: 'other-key' }),
  'an unknown key id': () => ({ header: { kid: 'unknown' } }),
  'alg none': () => ({ header: { alg: 'none' }, signature: 'none' }),
  'alg none in other letters': () => ({ header: { alg: 'nOnE' }, signature: 'none' }),
  'an empty signature': () => ({ signature: 'none' }),
  'HS256 with the client secret': () => ({ header: { alg: 'HS256' }, signature: 'hs256-secret' }),
  'HS256 with the public key as secret': () => ({ header: { alg: 'HS256' }, signature: 'hs256-public-key' }),
  'another issuer': () => ({ claims: { iss: 'https://other.example' } }),
  'the issuer with a slash more': () => ({ claims: { iss: `${provider.issuer}/` } }),
  'another audience': () => ({ claims: { aud: 'other' } }),
  'no audience': () => ({ claims: { aud: undefined } }),
  'two audiences and no azp': () => ({ claims: { aud: ['postern', 'other'] } }),
  'a foreign azp': () => ({ claims: { azp: 'other' } }),
  'a foreign azp with two audiences': () => ({ claims: { aud: ['postern', 'other'], azp: 'other' } }),
  'another nonce': () => ({ claims: { nonce: 'other' } }),
  'no nonce': () => ({ claims: { nonce: undefined } }),
  'an end in the past': () => ({ claims: { iat: now() - 500, exp: now() - 120 } }),
  'no end': () => ({ claims: { exp: undefined } }),
  'a beginning tomorrow': () => ({ claims: { iat: now() + DAY, exp: now() + 2 * DAY } }),
  'a beginning a year ago': () => ({ claims: { iat: now() - 365 * DAY } }),
  'no beginning': () => ({ claims: { iat: undefined } }),
  'a time before which it must not be used': () => ({ claims: { nbf: now() + DAY } }),
  'an empty subject': () => ({ claims: { sub: '' } }),
  'a blank subject': () => ({ claims: { sub: '  ' } }),
  'no subject': () => ({ claims: { sub: undefined } }),
  'a subject that is a number': () => ({ claims: { sub: 7 } }),
  'a subject beyond 255 characters': () => ({ claims: { sub: 'x'.repeat(256) } }),
  'the type of a logout token': () => ({ header: { typ: 'logout+jwt' } }),
  'the type of an access token': () => ({ header: { typ: 'at+jwt' } }),
  'one of our own types': () => ({ header: { typ: 'postern-device+jwt' } }),
  'no ID token at all': () => ({ withoutIdToken: true }),
  'userinfo of another person': () => ({
    userinfo: { sub: 'alice', email: 'alice@example.com', email_verified: true },
  }),
  'groups that are no list': () => ({ claims: { groups: { a: true } } }),
  'groups that are not all names': () => ({ claims: { groups: ['a', 7] } }),
  'groups that are elsewhere': () => ({
    claims: { email: 'm@example.com', name: 'M', _claim_names: { groups: 'src1' } },
    userinfo: { sub: 'mallory' },
  }),
  'more groups than we can hold': () => ({ claims: { groups: Array.from({ length: 1001 }, (_, n) => `g${n}`) } }),
};

let relay: TestRelay;
let provider: HostileProvider;

describe('a hostile provider', () => {
  const undo = new AsyncDisposableStack();

  before(async () => {
    const databases = undo.use(await startDatabases('postgres'));
    const store = undo.use(await databases.open('hostile'));
    provider = undo.use(await startHostileProvider(CLIENT_SECRET));
    relay = undo.use(await startRelay(store, async () => provider.issuer));
  });
  after(() => undo.disposeAsync());

  async function signIn(variant: Variant): Promise<{ page: Answer; browser: Browser }> {
    provider.variant = variant;
    const browser = new Browser();
    return { page: await browser.visit(`${relay.origin}/sign-in?return=/signed-out`), browser };
  }

  for (const [what, variant] of Object.entries(REFUSED)) {
    test(`${what} signs nobody in`, async () => {
      const before = relay.events.length;
      const { page, browser } = await signIn(variant());
      assert.equal(page.url.pathname, '/oidc/callback');
      assert.equal(page.status, 403);
      assert.equal(browser.cookie('postern.localhost', SESSION_COOKIE), undefined);
      assert.deepEqual(
        relay.events.slice(before).map(({ kind }) => kind),
        ['sign_in.failed'],
      );
      assert.deepEqual(await relay.identity.sessions.list(undefined, 10), []);
    });
  }

  test('an error instead of a code is a failed sign-in', async () => {
    const browser = new Browser();
    const callback = await browser.visitUntil(`${relay.origin}/sign-in`, (url) => url.pathname === '/oidc/callback');
    callback.searchParams.delete('code');
    callback.searchParams.set('error', 'access_denied');
    assert.equal((await browser.send(callback)).status, 403);
    assert.equal(browser.cookie('postern.localhost', SESSION_COOKIE), undefined);
  });

  for (const path of ['/token', '/jwks', '/userinfo'])
    test(`an answer without end at ${path} signs nobody in, and is not read for long`, async () => {
      provider.endless = { [path]: 'floods' };
      const { page, browser } = await signIn({});
      provider.endless = {};
      assert.equal(page.status, 403, page.body);
      assert.match(page.body, /answer is longer than/);
      assert.equal(browser.cookie('postern.localhost', SESSION_COOKIE), undefined);
    });

  test('a code is good for one session', async () => {
    provider.variant = { claims: { sub: 'once' }, userinfo: { sub: 'once' } };
    const browser = new Browser();
    const callback = await browser.visitUntil(`${relay.origin}/sign-in`, (url) => url.pathname === '/oidc/callback');
    assert.equal((await browser.send(callback)).status, 303);
    const thief = new Browser();
    assert.notEqual((await thief.send(callback)).status, 303);
    assert.equal((await browser.send(callback)).status, 403, 'its flow has ended');
  });

  test('the honest twin signs in; e-mail and groups come from userinfo, in order', async () => {
    const { page } = await signIn({});
    assert.equal(page.status, 200);
    const session = (await relay.identity.sessions.list(undefined, 10)).find(
      ({ principal }) => principal.subject === 'mallory',
    );
    assert.equal(session?.principal.issuer, provider.issuer);
    assert.equal(session?.principal.boundEmail, 'mallory@example.com');
    assert.deepEqual(session?.principal.groups, ['a', 'b']);
    assert.deepEqual(session?.amr, ['pwd', 'otp']);
  });

  for (const variant of [
    { claims: { aud: ['postern', 'other'], azp: 'postern' } },
    { claims: { azp: 'postern' } },
    { header: { typ: undefined } },
    { header: { typ: 'application/jwt' } },
  ] satisfies Variant[]) {
    test(`allowed: ${JSON.stringify(variant)}`, async () => {
      assert.equal((await signIn(variant)).page.status, 200);
    });
  }

  test('an e-mail that is not verified is no e-mail', async () => {
    for (const verified of [false, undefined, 'true', 1]) {
      const sub = `unverified ${String(verified)}`;
      const { page } = await signIn({
        claims: { sub, email: 'alice@example.com', email_verified: verified, name: 'x', groups: [] },
      });
      assert.equal(page.status, 200);
      const sessions = await relay.identity.sessions.list(undefined, 50);
      const session = sessions.find(({ principal }) => principal.subject === sub);
      assert.equal(session?.principal.email, undefined);
      assert.equal(session?.principal.boundEmail, undefined);
    }
  });

  test('a rotated key is known at the next sign-in', async () => {
    provider.rotate();
    assert.equal((await signIn({})).page.status, 200);
  });

  test('a provider that is down is said to be down, and found again when it is back', async () => {
    relay.skewMs = 2 * 3_600_000;
    try {
      provider.down = true;
      const { page } = await signIn({});
      assert.equal(page.status, 502);
      provider.down = false;
      relay.skewMs += 1_001;
      const options = {
        issuer: provider.issuer,
        clientId: 'postern',
        clientSecret: undefined,
        scopes: ['openid'],
        groupsClaim: 'groups',
        redirectUri: `${relay.origin}/oidc/callback`,
        clock: Date.now,
      };
      const url = await createProvider(options).authorizationUrl({ state: 's', nonce: 'n', verifier: 'v'.repeat(43) });
      assert.ok(url.startsWith(`${provider.issuer}/authorize?`));
      const browser = new Browser();
      const back = await browser.visitUntil(`${relay.origin}/sign-in`, (next) => next.pathname === '/oidc/callback');
      assert.ok(back.searchParams.get('code'));
    } finally {
      relay.skewMs = 0;
    }
  });

  test('plain http is taken on the loopback only', () => {
    const options = {
      clientId: 'postern',
      clientSecret: undefined,
      scopes: ['openid'],
      groupsClaim: 'groups',
      redirectUri: 'https://relay.example/oidc/callback',
      clock: Date.now,
    };
    assert.throws(() => createProvider({ ...options, issuer: 'http://id.example.com' }), { code: 'config_invalid' });
    assert.throws(() => createProvider({ ...options, issuer: 'http://localhost.example.com' }), {
      code: 'config_invalid',
    });
    createProvider({ ...options, issuer: 'https://id.example.com' });
  });
});
