import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { sha256 } from '../../src/lib/bytes.ts';
import { startDatabases } from '../store/databases.ts';
import { type Answer, Browser } from './browser.ts';
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

describe('forged requests', () => {
  const undo = new AsyncDisposableStack();
  let relay: TestRelay;
  let provider: HostileProvider;

  before(async () => {
    const databases = undo.use(await startDatabases('postgres'));
    const store = undo.use(await databases.open('forgery'));
    provider = undo.use(await startHostileProvider(CLIENT_SECRET));
    relay = undo.use(await startRelay(store, async () => provider.issuer));
  });
  after(() => undo.disposeAsync());

  async function signedIn(name: string, groups: string[] = []): Promise<Browser> {
    provider.variant = { claims: { sub: name, email: `${name}@example.com`, email_verified: true, name, groups } };
    const browser = new Browser();
    assert.equal((await browser.visit(`${relay.origin}/sign-in?return=/signed-out`)).status, 200);
    return browser;
  }

  const me = async (browser: Browser) => {
    const answer = await browser.send(`${relay.origin}/api/v1/me`);
    return answer.status === 200
      ? (JSON.parse(answer.body) as { session: { id: string }; person: { id: string } })
      : undefined;
  };

  test('what a cookie authenticates changes nothing unless our own page sent it', async () => {
    const victim = await signedIn('victim');
    const url = `${relay.origin}/api/v1/sign-out`;
    const good = {
      'content-type': 'application/json',
      origin: relay.origin,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'cors',
    };
    const without = (name: keyof typeof good) => {
      const { [name]: _, ...rest } = good;
      return rest;
    };
    const forged: Record<string, Record<string, string>> = {
      'from an app of the same site': { ...good, origin: relay.appOrigin('wiki'), 'sec-fetch-site': 'same-site' },
      'from another site': { ...good, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      'with an opaque origin': { ...good, origin: 'null' },
      'with another port': { ...good, origin: 'http://postern.localhost:1' },
      'with another scheme': { ...good, origin: relay.origin.replace('http:', 'https:') },
      'with our origin as a prefix': { ...good, origin: `${relay.origin}.evil.example` },
      'without origin': without('origin'),
      'without the word of the browser': without('sec-fetch-site'),
      'same site by the word of the browser': { ...good, 'sec-fetch-site': 'same-site' },
      'by the address bar': { ...good, 'sec-fetch-site': 'none' },
      'as a form': { ...good, 'content-type': 'application/x-www-form-urlencoded' },
      'as plain text': { ...good, 'content-type': 'text/plain' },
      'as something like JSON': { ...good, 'content-type': 'text/plain; application/json' },
      'without a content type': without('content-type'),
    };
    for (const [what, headers] of Object.entries(forged)) {
      const { status } = await victim.send(url, { method: 'POST', headers, body: '{}' });
      assert.ok(status === 403 || status === 415, `${what}: ${status}`);
      assert.ok(await me(victim), what);
    }
    assert.equal(
      (await victim.send(url, { method: 'POST', headers: good, body: '{}' })).status,
      200,
      'the honest twin',
    );
    assert.equal(await me(victim), undefined);
  });

  test('reading is not possible from an app of the same site', async () => {
    const victim = await signedIn('reader');
    const headers = { origin: relay.appOrigin('wiki'), 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' };
    const answer = await victim.send(`${relay.origin}/api/v1/sessions`, { headers });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  });

  test('people see and end their own sessions; admins everyone’s; nobody else', async () => {
    const alice = await signedIn('alice');
    const bob = await signedIn('bob');
    const sam = await signedIn('sam', ['security']);
    const [a, b] = [await me(alice), await me(bob)];
    assert.ok(a && b);
    const list = async (browser: Browser, query = '') => {
      const answer = await browser.send(`${relay.origin}/api/v1/sessions${query}`);
      return answer.status === 200
        ? (JSON.parse(answer.body) as { sessions: { id: string }[] }).sessions
        : answer.status;
    };
    assert.deepEqual(
      ((await list(alice)) as { id: string }[]).map(({ id }) => id),
      [a.session.id],
    );
    assert.equal(await list(alice, '?of=everyone'), 403);
    const all = (await list(sam, '?of=everyone')) as { id: string }[];
    assert.ok(all.some(({ id }) => id === b.session.id));

    const end = (browser: Browser, id: string) => browser.json(`${relay.origin}/api/v1/sessions/${id}`, 'DELETE', {});
    const foreign = await end(alice, b.session.id);
    assert.equal(foreign.status, 404, foreign.body);
    assert.ok(await me(bob));
    assert.equal((await end(sam, b.session.id)).status, 200);
    assert.equal(await me(bob), undefined);
    const ended = relay.events.find((event) => event.kind === 'session.ended' && event.session === b.session.id);
    assert.ok(ended?.kind === 'session.ended' && ended.by === (await me(sam))?.person.id);
    assert.equal((await end(alice, a.session.id)).status, 200);
    assert.equal(await me(alice), undefined);
  });

  test('only an admin makes enrollment tokens and revokes agents', async () => {
    const alice = await signedIn('alice');
    const sam = await signedIn('sam', ['security']);
    for (const path of ['/api/v1/agents/office/tokens', '/api/v1/agents/office/revoke']) {
      assert.equal((await alice.json(relay.origin + path, 'POST', {})).status, 403);
      assert.equal((await new Browser().json(relay.origin + path, 'POST', {})).status, 401);
    }
    assert.equal((await alice.send(`${relay.origin}/api/v1/agents`)).status, 403);
    const made = await sam.json(`${relay.origin}/api/v1/agents/office/tokens`, 'POST', {});
    assert.equal(made.status, 200);
    assert.ok(relay.events.some((event) => event.kind === 'agent.token_created' && event.agent === 'office'));
    assert.equal((await sam.json(`${relay.origin}/api/v1/agents/nobody/tokens`, 'POST', {})).status, 404);
  });

  const REDIRECT = 'http://127.0.0.1:49152/callback';
  const verifier = 'v'.repeat(43);
  const challenge = sha256(verifier).toString('base64url');
  const authorize = (more: Record<string, string> = {}) => ({
    redirectUri: REDIRECT,
    state: 'xyz',
    challenge,
    machine: 'laptop',
    answer: 'allow',
    ...more,
  });
  const redeem = (value: unknown): Promise<Answer> =>
    new Browser().send(`${relay.origin}/cli/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });

  test('a command line gets a token that a person agreed to, and loses it with the session', async () => {
    const alice = await signedIn('alice');
    const query = new URLSearchParams({
      redirect_uri: REDIRECT,
      state: 'xyz',
      code_challenge: challenge,
      machine: '<b>laptop</b>',
    });
    const page = await alice.visit(`${relay.origin}/cli/authorize?${query.toString()}`);
    assert.equal(page.status, 200);
    assert.match(page.body, /&lt;b&gt;laptop&lt;\/b&gt;/);
    assert.match(page.body, /alice@example.com/);

    const agreed = await alice.json(`${relay.origin}/cli/authorize`, 'POST', authorize());
    const location = new URL((JSON.parse(agreed.body) as { location: string }).location);
    assert.equal(location.origin + location.pathname, REDIRECT);
    assert.equal(location.searchParams.get('state'), 'xyz');
    const caught = location.searchParams.get('code') ?? '';
    const anotherCode = async () => {
      const again = await alice.json(`${relay.origin}/cli/authorize`, 'POST', authorize());
      return new URL((JSON.parse(again.body) as { location: string }).location).searchParams.get('code') ?? '';
    };

    // Whoever catches a code has no verifier, and uses it up by trying.
    assert.equal((await redeem({ code: caught, verifier: 'w'.repeat(43), redirectUri: REDIRECT })).status, 401);
    assert.equal((await redeem({ code: caught, verifier, redirectUri: REDIRECT })).status, 401);
    const elsewhere = { code: await anotherCode(), verifier, redirectUri: 'http://127.0.0.1:1/callback' };
    assert.equal((await redeem(elsewhere)).status, 401);
    const code = await anotherCode();
    const answer = await redeem({ code, verifier, redirectUri: REDIRECT });
    assert.equal(answer.status, 200);
    const { token, person } = JSON.parse(answer.body) as { token: string; person: string };
    assert.match(token, /^pst_/);
    assert.equal(person, 'alice@example.com');
    assert.equal((await redeem({ code, verifier, redirectUri: REDIRECT })).status, 401, 'once');
    assert.ok(relay.events.some((event) => event.kind === 'token.issued' && event.audience === relay.origin));

    const by = (headers: Record<string, string>, url = `${relay.origin}/api/v1/me`) =>
      new Browser().send(url, { headers });
    assert.equal((await by({ 'postern-token': token })).status, 200);
    assert.equal((await by({ authorization: `Bearer ${token}` })).status, 200);
    assert.equal((await by({ authorization: `Basic ${token}` })).status, 401);
    assert.equal((await by({ 'postern-token': `${token}x` })).status, 401);
    assert.equal(
      (await by({ 'postern-token': token, authorization: `Bearer ${token}` })).status,
      400,
      'two identities',
    );
    const cookie = `${SESSION_COOKIE}=${alice.cookie('postern.localhost', SESSION_COOKIE)}`;
    assert.equal((await by({ 'postern-token': token, cookie })).status, 400, 'two identities');

    // One audience: an app takes only a token of its own.
    assert.equal((await by({ 'postern-token': token }, relay.appOrigin('wiki'))).status, 302);
    const forApp = await new Browser().send(`${relay.origin}/api/v1/tokens`, {
      method: 'POST',
      headers: { 'postern-token': token, 'content-type': 'application/json' },
      body: JSON.stringify({ audience: relay.appOrigin('wiki') }),
    });
    const appToken = (JSON.parse(forApp.body) as { token: string }).token;
    assert.equal((await by({ 'postern-token': appToken }, relay.appOrigin('wiki'))).status, 200);
    assert.equal((await by({ 'postern-token': appToken }, relay.appOrigin('metrics'))).status, 302);
    assert.equal((await by({ 'postern-token': appToken })).status, 401);

    await alice.json(`${relay.origin}/api/v1/sign-out`, 'POST', {});
    assert.equal((await by({ 'postern-token': token })).status, 401);
    assert.equal((await by({ 'postern-token': appToken }, relay.appOrigin('wiki'))).status, 302);
  });

  test('no code goes anywhere but to the loopback, or without a person who agrees on our page', async () => {
    const alice = await signedIn('alice');
    for (const redirectUri of [
      'https://evil.example/callback',
      'http://127.0.0.1.evil.example:80/callback',
      'http://127.0.0.1:80@evil.example/callback',
      'http://localhost:80/callback',
      'http://127.0.0.1:80/callback?x=y',
      'http://127.0.0.1:80/callback#x',
      'http://127.0.0.2:80/callback',
      'custom://callback',
    ]) {
      const answer = await alice.json(`${relay.origin}/cli/authorize`, 'POST', authorize({ redirectUri }));
      assert.equal(answer.status, 400, redirectUri);
    }
    const url = `${relay.origin}/cli/authorize`;
    const wiki = { origin: relay.appOrigin('wiki'), 'sec-fetch-site': 'same-site' };
    assert.equal((await alice.json(url, 'POST', authorize(), wiki)).status, 403);
    assert.equal((await new Browser().json(url, 'POST', authorize())).status, 401);
    const refused = await alice.json(url, 'POST', authorize({ answer: 'refuse' }));
    assert.equal(
      (JSON.parse(refused.body) as { location: string }).location,
      `${REDIRECT}?error=access_denied&state=xyz`,
    );
  });

  test('a command line that comes without a session is sent to sign-in and back', async () => {
    const query = new URLSearchParams({
      redirect_uri: REDIRECT,
      state: 'xyz',
      code_challenge: challenge,
      machine: 'm',
    });
    provider.variant = {};
    const page = await new Browser().visit(`${relay.origin}/cli/authorize?${query.toString()}`);
    assert.equal(page.status, 200);
    assert.match(page.body, /Let it act as me/);
  });
});
