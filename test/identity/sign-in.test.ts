import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/domain/change.ts';
import { loadDataKey } from '../../src/identity/keys/data-key.ts';
import { createMint } from '../../src/identity/keys/mint.ts';
import { Sessions } from '../../src/identity/sessions.ts';
import { FLOW_COOKIE_PREFIX, SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { sha256Hex } from '../../src/lib/bytes.ts';
import { sortableId } from '../../src/lib/id.ts';
import { createLog } from '../../src/lib/log.ts';
import { createPrincipalStore } from '../../src/store/identity/principals.ts';
import { createSessionStore } from '../../src/store/identity/sessions.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases, temporaryDirectory } from '../store/databases.ts';
import { Browser } from './browser.ts';
import { fillIn, startDemoProvider, visitAs } from './demo-provider.ts';
import { startRelay, type TestRelay } from './relay.ts';

const RELAY_HOST = 'postern.localhost';
const WIKI_HOST = 'wiki.postern.localhost';

for (const kind of KINDS) {
  describe(`sign-in on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;
    let store: Store;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      store = undo.use(await databases.open('sign-in'));
      const directory = undo.use(await temporaryDirectory());
      relay = undo.use(
        await startRelay(store, async (origin) => undo.use(await startDemoProvider(origin, directory.path)).issuer),
      );
    });
    after(() => undo.disposeAsync());

    test('a person opens an app, signs in at the provider, and arrives where they wanted to go', async () => {
      const browser = new Browser();
      const page = await visitAs(browser, 'alice', `${relay.appOrigin('wiki')}/docs/a%20b?x=1&y=%2F`);
      assert.equal(page.status, 200);
      assert.equal(page.body, 'hello alice@example.com at /docs/a%20b?x=1&y=%2F');
      assert.deepEqual(browser.names(WIKI_HOST), [SESSION_COOKIE], 'the flow cookie is gone');
      assert.notEqual(browser.cookie(WIKI_HOST, SESSION_COOKIE), browser.cookie(RELAY_HOST, SESSION_COOKIE));

      const me = await browser.send(`${relay.origin}/api/v1/me`);
      const { session } = JSON.parse(me.body) as { session: { id: string } };
      const signIn = relay.events.find((event) => event.session === session.id);
      assert.equal(signIn?.kind, 'sign_in.completed');
      assert.deepEqual(signIn?.personal?.groups, ['employees', 'engineering']);
      const facts = relay.facts.get(signIn?.facts ?? '');
      assert.deepEqual(facts?.['groups'], ['employees', 'engineering']);
      assert.equal(facts?.['method'], 'oidc');
      assert.equal(facts?.['boundEmail'], 'alice@example.com');

      const second = await browser.visit(`${relay.appOrigin('metrics')}/`);
      assert.equal(second.body, 'hello alice@example.com at /', 'the second app asks nothing');
    });

    test('a browser that takes no Secure cookies on localhost reads which ones do, before it is asked for a password', async () => {
      const page = await new Browser({ takesSecure: false }).visit(`${relay.appOrigin('wiki')}/`);
      assert.equal(page.status, 400);
      assert.equal(page.url.origin, relay.origin);
      assert.match(page.body, /does not take Secure cookies on localhost/);
      assert.match(page.body, /Chromium, Chrome, Edge and Firefox do/);
      const later = new URL(page.url);
      later.searchParams.set('probed', String(Date.now() - 60_000));
      const signIn = await new Browser().visit(later);
      assert.match(signIn.url.href, /^http:\/\/localhost:\d+\/sign-in\//, 'later it is an address like any other');
    });

    test('a sign-in that took too long is told so', async () => {
      const page = await new Browser().visit(`${relay.origin}/oidc/callback?state=x&code=y`);
      assert.equal(page.status, 403);
      assert.match(page.body, /took too long\. Start again/);
    });

    test('without the form nobody arrives: the provider asks, the app says nothing', async () => {
      const page = await new Browser().visit(`${relay.appOrigin('wiki')}/secret`);
      assert.match(page.url.href, /^http:\/\/localhost:\d+\/sign-in\//);
    });

    test('two tabs sign in at once and both arrive; signing out ends both', async () => {
      const browser = new Browser();
      const first = await browser.visit(`${relay.appOrigin('wiki')}/one`);
      const second = await browser.visit(`${relay.appOrigin('metrics')}/two`);
      const a = await fillIn(browser, 'bob', first.url);
      const b = await fillIn(browser, 'bob', second.url);
      assert.equal(a.body, 'hello bob@example.com at /one');
      assert.equal(b.body, 'hello bob@example.com at /two');
      assert.deepEqual(browser.names(RELAY_HOST), [SESSION_COOKIE]);

      await browser.json(`${relay.origin}/api/v1/sign-out`, 'POST', {});
      for (const app of ['wiki', 'metrics']) {
        const { status } = await browser.send(relay.appOrigin(app));
        assert.equal(status, 302, `${app} sends to sign-in again`);
      }
    });

    test('an old tab beyond the eighth flow starts over; the newest eight arrive', async () => {
      const browser = new Browser();
      for (let tab = 0; tab < 11; tab++) await browser.visit(`${relay.origin}/sign-in`);
      const flows = browser.names(RELAY_HOST).filter((name) => name.startsWith(FLOW_COOKIE_PREFIX));
      assert.equal(flows.length, 8);
      assert.ok(browser.cookieHeader(new URL(relay.origin)).length < 8_000);
    });

    test('sign-out ends the session on every host at once, and goes to the provider', async () => {
      const browser = new Browser();
      await visitAs(browser, 'alice', relay.appOrigin('wiki'));
      const wiki = browser.cookie(WIKI_HOST, SESSION_COOKIE) ?? '';
      const session = await relay.identity.sessions.readCookie(wiki, WIKI_HOST);
      assert.ok(session && relay.identity.sessions.isCurrent(session));

      const answer = await browser.json(`${relay.origin}/api/v1/sign-out`, 'POST', {});
      assert.equal(answer.status, 200);
      assert.equal(relay.identity.sessions.isCurrent(session), false);
      assert.equal(await relay.identity.sessions.readCookie(wiki, WIKI_HOST), undefined);
      assert.equal(browser.cookie(RELAY_HOST, SESSION_COOKIE), undefined);
      assert.ok(relay.events.some((event) => event.kind === 'session.ended' && event.session === session.id));

      const { location } = JSON.parse(answer.body) as { location: string };
      const provider = await browser.visit(location);
      const form = /action="([^"]+)"[\s\S]*name="xsrf" value="([^"]+)"/.exec(provider.body);
      assert.ok(form?.[1] && form[2], provider.body);
      const done = await browser.visit(form[1], {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ xsrf: form[2], logout: 'yes' }).toString(),
      });
      assert.equal(done.url.href, `${relay.origin}/signed-out`);
      const again = await browser.visit(`${relay.origin}/sign-in`);
      assert.match(again.url.pathname, /^\/sign-in\/./, 'the provider asks for the password again');
    });

    test('another relay hears of a sign-out through the change feed', { timeout: 10_000 }, async () => {
      const other = new Sessions({
        store: createSessionStore(store),
        limits: { idleMs: 3_600_000, absoluteMs: 3_600_000 },
        mint: createMint(loadDataKey(relay.dataDir)),
        audit: { append: () => assert.fail('it only reads') },
        recordFacts: () => assert.fail('nothing changed'),
        clock: Date.now,
        log: createLog('silent'),
      });
      const heard = Promise.withResolvers<void>();
      let awaited: string | undefined;
      const following = new AbortController();
      const follow = (change: Change) => {
        other.onChange(change);
        if (change.kind === 'session_revoked' && change.session === awaited) heard.resolve();
      };
      await store.changes.follow(follow, { signal: following.signal });

      const browser = new Browser();
      await visitAs(browser, 'alice', relay.appOrigin('wiki'));
      const cookie = browser.cookie(WIKI_HOST, SESSION_COOKIE) ?? '';
      const session = await other.readCookie(cookie, WIKI_HOST);
      assert.ok(session && other.isCurrent(session));
      awaited = session.id;
      await browser.json(`${relay.origin}/api/v1/sign-out`, 'POST', {});
      await heard.promise;
      following.abort();
      assert.equal(other.isCurrent(session), false);
      assert.equal(await other.readCookie(cookie, WIKI_HOST), undefined);
    });

    test('a cookie opens only the host it was set for', async () => {
      const browser = new Browser();
      await visitAs(browser, 'alice', relay.appOrigin('wiki'));
      const wiki = browser.cookie(WIKI_HOST, SESSION_COOKIE) ?? '';
      const own = browser.cookie(RELAY_HOST, SESSION_COOKIE) ?? '';
      const thief = new Browser();
      thief.plant('metrics.postern.localhost', SESSION_COOKIE, wiki);
      assert.equal((await thief.send(relay.appOrigin('metrics'))).status, 302);
      thief.plant('metrics.postern.localhost', SESSION_COOKIE, own);
      assert.equal((await thief.send(relay.appOrigin('metrics'))).status, 302);
      thief.plant(RELAY_HOST, SESSION_COOKIE, wiki);
      assert.equal((await thief.send(`${relay.origin}/api/v1/me`)).status, 401);
      // Its twin: at its own host it works, in whatever browser.
      thief.plant(WIKI_HOST, SESSION_COOKIE, wiki);
      assert.equal((await thief.send(relay.appOrigin('wiki'))).status, 200);
      // Two of one name: neither counts.
      const twice = await new Browser().send(relay.appOrigin('wiki'), {
        headers: { cookie: `${SESSION_COOKIE}=x; ${SESSION_COOKIE}=${wiki}` },
      });
      assert.equal(twice.status, 302);
    });

    test('nobody is signed in when the log cannot hold it', async () => {
      const browser = new Browser();
      const form = await browser.visit(`${relay.origin}/sign-in`);
      relay.auditDown = true;
      try {
        const page = await fillIn(browser, 'alice', form.url);
        assert.equal(page.status, 503);
        assert.equal(browser.cookie(RELAY_HOST, SESSION_COOKIE), undefined);
      } finally {
        relay.auditDown = false;
      }
      const page = await visitAs(browser, 'alice', relay.appOrigin('wiki'));
      assert.equal(page.status, 200, 'and afterwards it works again');
    });

    test('a callback of another browser, or with a changed state, signs nobody in', async () => {
      const victim = new Browser();
      const attacker = new Browser();
      const form = await attacker.visit(`${relay.origin}/sign-in`);
      // The attacker signs in as eve, and stops before the callback.
      const submitted = await attacker.send(form.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'username=eve&password=eve',
      });
      const callback = await attacker.visitUntil(
        new URL(submitted.headers.location ?? '', form.url),
        (url) => url.pathname === '/oidc/callback',
      );
      const planted = await victim.visit(callback);
      assert.equal(planted.status, 403);
      assert.equal(victim.cookie(RELAY_HOST, SESSION_COOKIE), undefined);
      const changed = new URL(callback);
      changed.searchParams.set('state', `${callback.searchParams.get('state')}x`);
      assert.equal((await attacker.send(changed)).status, 403);
      // Its twin: the browser that began it arrives.
      await attacker.visit(callback);
      assert.ok(attacker.cookie(RELAY_HOST, SESSION_COOKIE));
    });

    test('idle and absolute ends are kept', async () => {
      const browser = new Browser();
      await visitAs(browser, 'alice', relay.appOrigin('wiki'));
      const opens = async () => (await browser.send(relay.appOrigin('wiki'))).status === 200;
      try {
        relay.skewMs = 50 * 60_000;
        assert.ok(await opens(), 'used within the idle time');
        relay.skewMs += 50 * 60_000;
        assert.ok(await opens(), 'use moves the idle end');
        relay.skewMs += 61 * 60_000;
        assert.equal(await opens(), false);
        await relay.identity.sessions.sweep();
        assert.ok(relay.events.some((event) => event.kind === 'session.ended' && event.reason === 'session_expired'));
      } finally {
        relay.skewMs = 0;
      }
    });

    test('a person who comes back with other groups changes every session of theirs', async () => {
      const browser = new Browser();
      await visitAs(browser, 'bob', relay.appOrigin('wiki'));
      const cookie = browser.cookie(WIKI_HOST, SESSION_COOKIE) ?? '';
      const session = await relay.identity.sessions.readCookie(cookie, WIKI_HOST);
      assert.ok(session);
      const { issuer, subject, email, name } = session.principal;
      await createPrincipalStore(store).recordSignIn(
        { issuer, subject, email, name, groups: ['sales'] },
        crypto.randomUUID(),
        Date.now(),
      );
      relay.identity.onChange({ kind: 'principal_changed', principal: session.principal.id });
      assert.equal(relay.identity.sessions.isCurrent(session), false);
      const now = await relay.identity.sessions.readCookie(cookie, WIKI_HOST);
      assert.deepEqual(now?.principal.groups, ['sales']);
      assert.ok(now && now.epoch > session.epoch);
      assert.notEqual(now.factsHash, session.factsHash);
      assert.deepEqual(relay.facts.get(now.factsHash)?.['groups'], ['sales']);
    });

    test('one person has a hundred sessions at most; the oldest ends', async () => {
      const profile = { issuer: 'https://id.example', subject: 'many', email: undefined, name: undefined, groups: [] };
      const principal = await createPrincipalStore(store).recordSignIn(profile, crypto.randomUUID(), Date.now());
      const mint = createMint(loadDataKey(relay.dataDir));
      const open = async (n: number) => {
        const id = sortableId();
        const cookie = mint.mint();
        await relay.identity.sessions.open({
          id,
          principal: principal.id,
          principalEpoch: principal.epoch,
          browser: `browser ${n}`,
          factsHash: 'x',
          signedInAt: Date.now() + n,
          amr: [],
          expiresAt: Date.now() + 3_600_000,
          logoutHint: undefined,
          credential: {
            hash: sha256Hex(cookie),
            session: id,
            kind: 'cookie',
            audience: `cookie:${RELAY_HOST}`,
            label: undefined,
            createdAt: Date.now(),
            expiresAt: Date.now() + 3_600_000,
          },
        });
        return relay.identity.sessions.readCookie(cookie, RELAY_HOST);
      };
      const first = await open(0);
      assert.ok(first);
      for (let n = 1; n < 100; n++) assert.ok(await open(n));
      assert.ok(relay.identity.sessions.isCurrent(first));
      await open(100);
      assert.equal(relay.identity.sessions.isCurrent(first), false);
      assert.equal((await relay.identity.sessions.list(principal.id, 1_000)).length, 100);
      assert.ok(relay.events.some((event) => event.kind === 'session.ended' && event.session === first.id));
    });

    test('only the first verified holder of an e-mail is bound to it', async () => {
      const principals = createPrincipalStore(store);
      const profile = { issuer: 'https://id.example', email: 'first@example.com', name: undefined, groups: [] };
      const record = (subject: string) =>
        principals.recordSignIn({ ...profile, subject }, crypto.randomUUID(), Date.now());
      const first = await record('1');
      const second = await record('2');
      assert.equal(first.boundEmail, 'first@example.com');
      assert.equal(second.boundEmail, undefined);
      assert.equal(second.email, 'first@example.com');
      assert.equal((await record('1')).boundEmail, 'first@example.com');
      assert.equal((await record('1')).epoch, first.epoch, 'nothing changed');
    });
  });
}
