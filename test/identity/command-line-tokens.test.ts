import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sha256 } from '../../src/lib/bytes.ts';
import { KINDS, startDatabases } from '../store/databases.ts';
import { Browser } from './browser.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const REDIRECT = 'http://127.0.0.1:4000/callback';

for (const kind of KINDS) {
  describe(`tokens of command lines, on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;
    let browser: Browser;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      const store = undo.use(await databases.open('tokens'));
      const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
      relay = undo.use(await startRelay(store, async () => provider.issuer));
      browser = new Browser();
      await browser.visit(`${relay.origin}/sign-in?return=/signed-out`);
    });
    after(() => undo.disposeAsync());

    const program = new Browser();
    const login = async () => {
      const verifier = 'v'.repeat(43);
      const challenge = sha256(verifier).toString('base64url');
      const asked = { redirectUri: REDIRECT, state: 's', challenge, machine: 'laptop', answer: 'allow' };
      const { body } = await browser.json(`${relay.origin}/cli/authorize`, 'POST', asked);
      const code = new URL((JSON.parse(body) as { location: string }).location).searchParams.get('code');
      const redeemed = await program.json(`${relay.origin}/cli/token`, 'POST', {
        code,
        verifier,
        redirectUri: REDIRECT,
      });
      return (JSON.parse(redeemed.body) as { token: string }).token;
    };
    const call = (token: string, method: string, path: string, body: object = {}) =>
      program.json(`${relay.origin}${path}`, method, body, { 'postern-token': token });
    const forWiki = async (token: string, more: object = {}) => {
      const answer = await call(token, 'POST', '/api/v1/tokens', { audience: relay.appOrigin('wiki'), ...more });
      assert.equal(answer.status, 200, answer.body);
      return JSON.parse(answer.body) as { token: string; expiresAt: number };
    };
    const readsAtWiki = (token: string) => relay.identity.sessions.readToken(token, relay.appOrigin('wiki'));
    const reads = (token: string) => relay.identity.sessions.readToken(token, relay.origin);

    test('a command line asks for tokens of apps, which are worthless elsewhere and make no tokens', async () => {
      const mine = await login();
      const { token } = await forWiki(mine);
      assert.ok(await readsAtWiki(token));
      assert.equal(await reads(token), undefined);
      assert.equal(await relay.identity.sessions.readToken(token, relay.appOrigin('metrics')), undefined);
      assert.equal((await call(token, 'POST', '/api/v1/tokens', { audience: relay.appOrigin('wiki') })).status, 401);
      assert.equal((await call(mine, 'POST', '/api/v1/tokens', { audience: 'https://no.example' })).status, 404);
    });

    test('a token lives as long as was asked, never longer than the session, also in memory', async () => {
      const mine = await login();
      const session = await reads(mine);
      const short = await forWiki(mine, { lifeMs: 60_000 });
      const long = await forWiki(mine, { lifeMs: 10 * 365 * 24 * 3_600_000 });
      assert.equal(long.expiresAt, session?.expiresAt);
      assert.equal((await forWiki(mine)).expiresAt, session?.expiresAt);
      for (const _ of ['from the database', 'from memory'])
        assert.equal((await readsAtWiki(short.token))?.expiresAt, short.expiresAt, 'what it opens ends with it');
      assert.equal((await readsAtWiki(long.token))?.expiresAt, session?.expiresAt);
      relay.skewMs = 60_001;
      assert.equal(await readsAtWiki(short.token), undefined);
      assert.ok(await readsAtWiki(long.token), 'its twin');
      relay.skewMs = 0;
      const never = await call(mine, 'POST', '/api/v1/tokens', { audience: relay.appOrigin('wiki'), lifeMs: 0 });
      assert.equal(never.status, 400);
    });

    test('signing a command line out ends its token and those issued through it, and nothing else', async () => {
      const [mine, other] = [await login(), await login()];
      const [through, beside] = [await forWiki(mine), await forWiki(other)];
      const before = await readsAtWiki(through.token);
      assert.ok(before);
      const answer = await call(mine, 'DELETE', '/api/v1/tokens/current');
      assert.equal(answer.status, 200, answer.body);
      assert.equal(await reads(mine), undefined);
      assert.equal(await readsAtWiki(through.token), undefined);
      assert.ok(await reads(other), 'the other command line goes on');
      assert.equal((await readsAtWiki(beside.token))?.id, before.id);
      assert.equal(relay.identity.sessions.isCurrent(before), false, 'what was read before it is looked at again');
      assert.equal((await browser.send(`${relay.origin}/api/v1/me`)).status, 200, 'and so does the browser');
      assert.equal((await call(mine, 'DELETE', '/api/v1/tokens/current')).status, 401);
      const record = relay.events.findLast((event) => event.kind === 'token.revoked');
      assert.deepEqual([record?.session, record?.audience], [before.id, relay.origin]);
    });

    test('a browser does not sign command lines out so', async () => {
      assert.equal((await browser.json(`${relay.origin}/api/v1/tokens/current`, 'DELETE', {})).status, 403);
    });

    test('signing out by a token ends the browser’s sessions, too', async () => {
      const mine = await login();
      assert.equal((await call(mine, 'POST', '/api/v1/sign-out')).status, 200);
      assert.equal(await reads(mine), undefined);
      assert.equal((await browser.send(`${relay.origin}/api/v1/me`)).status, 401);
    });
  });
}
