import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/domain/change.ts';
import { FLOW_COOKIE_PREFIX, SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases } from '../store/databases.ts';
import { Browser } from './browser.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const WIKI_HOST = 'wiki.postern.localhost';
const isRedeem = (url: URL) => url.pathname === '/.postern/redeem';

for (const kind of KINDS) {
  describe(`hand-off on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;
    let store: Store;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      store = undo.use(await databases.open('hand-off'));
      const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
      relay = undo.use(await startRelay(store, async () => provider.issuer));
    });
    after(() => undo.disposeAsync());

    const opens = async (browser: Browser, app = 'wiki') => (await browser.send(relay.appOrigin(app))).status === 200;

    test('a code opens the app for the browser that began, once', async () => {
      const browser = new Browser();
      const redeem = await browser.visitUntil(`${relay.appOrigin('wiki')}/a?b=c`, isRedeem);
      const flow = browser.names(WIKI_HOST).find((name) => name.startsWith(FLOW_COOKIE_PREFIX)) ?? '';
      const v = browser.cookie(WIKI_HOST, flow) ?? '';
      const first = await browser.send(redeem);
      assert.equal(first.status, 303);
      assert.equal(first.headers.location, '/a?b=c');
      assert.ok(await opens(browser));
      // Replayed, even with the flow cookie put back.
      const replay = new Browser();
      replay.plant(WIKI_HOST, flow, v);
      assert.equal((await replay.send(redeem)).status, 403);
      assert.equal(await opens(replay), false);
    });

    test('of two redemptions at once one succeeds', async () => {
      const browser = new Browser();
      const redeem = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
      const both = await Promise.all([browser.send(redeem), browser.send(redeem)]);
      assert.deepEqual(
        both.map(({ status }) => status).toSorted((a, b) => a - b),
        [303, 403],
      );
    });

    test('a code planted in another browser signs nobody in, even with a flow of its own', async () => {
      const attacker = new Browser();
      const redeem = await attacker.visitUntil(relay.appOrigin('wiki'), isRedeem);
      const victim = new Browser();
      assert.equal((await victim.send(redeem)).status, 403);
      const own = await victim.send(relay.appOrigin('wiki'));
      const flow = new URL(own.headers.location ?? '').searchParams.get('flow') ?? '';
      const mixed = new URL(redeem);
      mixed.searchParams.set('flow', flow);
      assert.equal((await victim.send(mixed)).status, 403);
      assert.equal(await opens(victim), false);
      const again = await attacker.visitUntil(relay.appOrigin('wiki'), isRedeem);
      assert.equal((await attacker.send(again)).status, 303, 'its twin: the browser that began');
    });

    test('a code made by another browser is used up where it arrives, so reading the address there gains nothing', async () => {
      // The attacker begins at the app and sends the victim, who is signed in, to the relay with that beginning.
      const attacker = new Browser();
      const began = await attacker.send(relay.appOrigin('wiki'), { headers: { accept: 'text/html' } });
      const victim = new Browser();
      await victim.visit(relay.appOrigin('wiki'));
      const redeem = await victim.visitUntil(began.headers.location ?? '', isRedeem);
      assert.equal((await victim.send(redeem)).status, 403, 'no flow cookie there');
      assert.equal((await attacker.send(redeem)).status, 403, 'and then it is worth nothing to the attacker');
      assert.equal(await opens(attacker), false);
    });

    test('a page cannot begin a sign-in or a hand-off as an image or a fetch', async () => {
      const browser = new Browser();
      await browser.visit(relay.appOrigin('wiki'));
      const began = await new Browser().send(relay.appOrigin('wiki'));
      for (const address of [began.headers.location ?? '', `${relay.origin}/sign-in?return=/audit`])
        for (const mode of ['no-cors', 'cors', 'same-origin', 'websocket']) {
          const answer = await browser.send(address, { headers: { 'sec-fetch-mode': mode } });
          assert.equal(answer.status, 403, `${mode} ${address}`);
          assert.equal(answer.headers['set-cookie'], undefined);
        }
      const navigation = await browser.send(began.headers.location ?? '', {
        headers: { 'sec-fetch-mode': 'navigate' },
      });
      assert.equal(navigation.status, 303, 'its twin');
    });

    test('a cookie displaced by eight newer ones of its session and host ends in memory, too', async () => {
      const browser = new Browser();
      const signedIn = (cookie: string | undefined) => relay.identity.sessions.readCookie(cookie ?? '', WIKI_HOST);
      await browser.visit(relay.appOrigin('wiki'));
      const first = browser.cookie(WIKI_HOST, SESSION_COOKIE);
      const session = await signedIn(first);
      assert.ok(session);
      const heard = Promise.withResolvers<Change>();
      await store.changes.follow(heard.resolve, { signal: new AbortController().signal });
      for (let n = 0; n < 8; n += 1) {
        browser.plant(WIKI_HOST, SESSION_COOKIE, 'lost');
        await browser.visit(relay.appOrigin('wiki'));
      }
      assert.deepEqual(await heard.promise, { kind: 'principal_changed', principal: session.principal.id });
      assert.equal(await signedIn(first), undefined);
      assert.equal((await signedIn(browser.cookie(WIKI_HOST, SESSION_COOKIE)))?.id, session.id, 'its twin');
    });

    test('a code for one host opens no other', async () => {
      const browser = new Browser();
      const redeem = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
      const flow = `${FLOW_COOKIE_PREFIX}${redeem.searchParams.get('flow')}`;
      browser.plant('metrics.postern.localhost', flow, browser.cookie(WIKI_HOST, flow) ?? '');
      const moved = new URL(`${relay.appOrigin('metrics')}/.postern/redeem${redeem.search}`);
      assert.equal((await browser.send(moved)).status, 403);
      assert.equal(await opens(browser, 'metrics'), false);
    });

    test('a code is worthless after a minute, and after its session', async () => {
      const browser = new Browser();
      const late = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
      relay.skewMs = 60_001;
      try {
        assert.equal((await browser.send(late)).status, 403);
      } finally {
        relay.skewMs = 0;
      }
      const redeem = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
      assert.equal((await browser.json(`${relay.origin}/api/v1/sign-out`, 'POST', {})).status, 200);
      assert.equal((await browser.send(redeem)).status, 403);
    });

    test('a broken code, flow or cookie is refused', async () => {
      const browser = new Browser();
      const breaks: ((code: string, flow: string, name: string, cookie: string) => [object, string])[] = [
        (_code, flow, name, cookie) => [{ code: '', flow }, `${name}=${cookie}`],
        (code, flow, name, cookie) => [{ code: `${code}x`, flow }, `${name}=${cookie}`],
        (code, flow, name, cookie) => [{ code, flow: `${flow}x` }, `${name}x=${cookie}`],
        (code, _flow, name, cookie) => [{ code, flow: '' }, `${name}=${cookie}`],
        (code, flow) => [{ code, flow }, ''],
        (code, flow, name) => [{ code, flow }, `${name}=`],
        (code, flow, name, cookie) => [{ code, flow }, `${name}=x.${cookie.split('.')[1]}`],
        (code, flow, name, cookie) => [{ code, flow }, `${name}=${cookie.split('.')[0]}`],
        (code, flow, name, cookie) => [{ code, flow }, `${name}=${cookie}; ${name}=${cookie}`],
      ];
      for (const broken of breaks) {
        const redeem = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
        const { code = '', flow = '' } = Object.fromEntries(redeem.searchParams);
        const name = FLOW_COOKIE_PREFIX + flow;
        const [query, header] = broken(code, flow, name, browser.cookie(WIKI_HOST, name) ?? '');
        const search = new URLSearchParams(Object.entries(query));
        const refused = await relay.identity.handOffs.redeem(WIKI_HOST, search, header);
        assert.equal(refused, undefined, `${search.toString()} ${header}`);
      }
      const whole = await browser.visitUntil(relay.appOrigin('wiki'), isRedeem);
      assert.equal((await browser.send(whole)).status, 303, 'its twin');
    });

    test('strangers see no difference between a known and an unknown host', async () => {
      const ask = async (host: string) => {
        const query = new URLSearchParams({ host, flow: '0123456789ab-0123456789abcdef', challenge: 'c'.repeat(43) });
        const { status, headers } = await new Browser().send(`${relay.origin}/hand-off?${query.toString()}`);
        return {
          status,
          location: headers.location
            ?.replace(encodeURIComponent(encodeURIComponent(host)), 'HOST')
            .replace(host, 'HOST'),
        };
      };
      assert.deepEqual(await ask('wiki.postern.localhost'), await ask('gone.postern.localhost'));
    });

    test('a person learns nothing of an unknown host, and no code leaves for one', async () => {
      const browser = new Browser();
      await browser.visit(relay.appOrigin('wiki'));
      for (const host of [
        'gone.postern.localhost',
        'evil.example',
        'postern.localhost',
        '',
        'wiki.postern.localhost.evil.example',
      ]) {
        const query = new URLSearchParams({ host, flow: '0123456789ab-0123456789abcdef', challenge: 'c'.repeat(43) });
        const answer = await browser.send(`${relay.origin}/hand-off?${query.toString()}`);
        assert.equal(answer.status, 403, host);
        assert.equal(answer.headers.location, undefined);
      }
    });

    test('redirects with a code are not kept and not told to others', async () => {
      const browser = new Browser();
      await browser.visit(relay.appOrigin('wiki'));
      const query = new URLSearchParams({
        host: WIKI_HOST,
        flow: '0123456789ab-0123456789abcdef',
        challenge: 'c'.repeat(43),
      });
      const { status, headers } = await browser.send(`${relay.origin}/hand-off?${query.toString()}`);
      assert.equal(status, 303);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['referrer-policy'], 'no-referrer');
    });

    test('a return address stays on our hosts', async () => {
      for (const path of [
        '//evil.example/',
        '/\\evil.example',
        'https://evil.example',
        '/\t/evil.example',
        '/%0d%0aX: y',
      ]) {
        const browser = new Browser();
        const callback = await browser.visitUntil(
          `${relay.origin}/sign-in?return=${encodeURIComponent(path)}`,
          (url) => url.pathname === '/oidc/callback',
        );
        const { headers } = await browser.send(callback);
        assert.equal(new URL(headers.location ?? '', relay.origin).origin, relay.origin, path);
        assert.equal(browser.cookie('postern.localhost', SESSION_COOKIE) === undefined, false);
      }
    });
  });
}
