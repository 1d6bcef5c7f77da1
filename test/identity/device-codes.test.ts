import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseUserCode } from '../../src/identity/user-code.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases } from '../store/databases.ts';
import { Browser } from './browser.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const MINUTE = 60_000;

for (const kind of KINDS) {
  describe(`a command line without a browser, on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;
    let store: Store;
    let person: Browser;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      store = undo.use(await databases.open('device'));
      const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
      relay = undo.use(await startRelay(store, async () => provider.issuer));
      person = new Browser();
      await person.visit(`${relay.origin}/sign-in?return=/signed-out`);
    });
    after(() => undo.disposeAsync());

    const machine = new Browser();
    const begin = async () => {
      const { status, body } = await machine.json(`${relay.origin}/cli/device`, 'POST', { machine: 'build01' });
      assert.equal(status, 200, body);
      return JSON.parse(body) as { deviceCode: string; userCode: string; verificationUriComplete: string };
    };
    const poll = async (deviceCode: string) => {
      const { status, body } = await machine.json(`${relay.origin}/cli/device/token`, 'POST', { deviceCode });
      assert.equal(status, 200, body);
      return JSON.parse(body) as { state: string; token?: string; intervalMs?: number };
    };
    const answer = async (code: string, word: 'allow' | 'refuse', who = person) =>
      (await who.json(`${relay.origin}/cli/device/answer`, 'POST', { code, answer: word })).status;
    const reads = (token = '') => relay.identity.sessions.readToken(token, relay.origin);

    test('the page says which machine asks, the person agrees, the machine gets a token, once', async () => {
      const { deviceCode, userCode, verificationUriComplete } = await begin();
      assert.match(userCode, /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
      assert.equal((await poll(deviceCode)).state, 'pending');
      const page = await person.visit(verificationUriComplete);
      assert.equal(page.status, 200);
      for (const said of ['build01', '127.0.0.1', userCode, 'less than a minute ago'])
        assert.ok(page.body.includes(said));
      assert.equal(await answer(userCode.toLowerCase().replace('-', ' '), 'allow'), 200);
      const issued = await poll(deviceCode);
      assert.equal(issued.state, 'issued');
      const session = await reads(issued.token);
      assert.equal(session?.id, (await relay.identity.sessions.list(undefined, 1))[0]?.id, 'a child of their session');
      assert.equal((await poll(deviceCode)).state, 'expired', 'not twice');
      const record = relay.events.findLast((event) => event.kind === 'token.issued');
      assert.equal(record?.via, 'device');
      assert.deepEqual([record?.personal?.note, record?.personal?.address], ['build01', '127.0.0.1']);
    });

    test('a yes of a session that has ended since gives no token', async () => {
      const other = new Browser();
      await other.visit(`${relay.origin}/sign-in?return=/signed-out`);
      const { deviceCode, userCode } = await begin();
      assert.equal(await answer(userCode, 'allow', other), 200);
      assert.equal((await other.json(`${relay.origin}/api/v1/sign-out`, 'POST', {})).status, 200);
      assert.equal((await poll(deviceCode)).state, 'expired');
    });

    test('the machine hears a refusal, and nothing else', async () => {
      const { deviceCode, userCode } = await begin();
      assert.equal(await answer(userCode, 'refuse'), 200);
      assert.equal(await answer(userCode, 'allow'), 404, 'the first word counts');
      assert.equal((await poll(deviceCode)).state, 'refused');
      assert.equal((await poll(deviceCode)).state, 'expired');
    });

    test('of two polls at once one gets the token', async () => {
      const { deviceCode, userCode } = await begin();
      assert.equal(await answer(userCode, 'allow'), 200);
      const states = (await Promise.all([poll(deviceCode), poll(deviceCode)])).map(({ state }) => state);
      assert.deepEqual(states.toSorted(), ['expired', 'issued']);
    });

    test('who asks too soon is told to wait longer, and who waits is not', async () => {
      const { deviceCode } = await begin();
      assert.deepEqual(await poll(deviceCode), { state: 'pending', intervalMs: 5_000 });
      assert.deepEqual(await poll(deviceCode), { state: 'slow_down', intervalMs: 10_000 });
      relay.skewMs += 6_000;
      assert.deepEqual(await poll(deviceCode), { state: 'slow_down', intervalMs: 15_000 });
      relay.skewMs += 15_000;
      assert.deepEqual(await poll(deviceCode), { state: 'pending', intervalMs: 15_000 });
    });

    test('after ten minutes nobody can agree, and nothing comes of an earlier yes', async () => {
      const [late, agreed] = [await begin(), await begin()];
      assert.equal(await answer(agreed.userCode, 'allow'), 200);
      relay.skewMs += 10 * MINUTE;
      assert.equal(await answer(late.userCode, 'allow'), 404);
      assert.equal((await poll(late.deviceCode)).state, 'expired');
      assert.equal((await poll(agreed.deviceCode)).state, 'expired');
    });

    test('strangers see no page and say no word; tokens say none either', async () => {
      const { deviceCode, userCode, verificationUriComplete } = await begin();
      const stranger = await new Browser().send(verificationUriComplete, { headers: { accept: 'text/html' } });
      assert.equal(stranger.status, 302);
      assert.match(stranger.headers.location ?? '', /^\/sign-in\?return=/);
      assert.equal(await answer(userCode, 'allow', new Browser()), 401);
      const first = await begin();
      await answer(first.userCode, 'allow');
      const { token = '' } = await poll(first.deviceCode);
      const byToken = await machine.json(
        `${relay.origin}/cli/device/answer`,
        'POST',
        { code: userCode, answer: 'allow' },
        { 'postern-token': token },
      );
      assert.equal(byToken.status, 403, 'a token makes no further tokens of this kind');
      assert.equal((await poll(deviceCode)).state, 'pending');
    });

    test('whoever guesses codes is stopped', async () => {
      relay.skewMs += 10 * MINUTE;
      const statuses = new Set<number>();
      for (let n = 0; n < 21; n += 1) statuses.add(await answer('BBBB-BBBB', 'allow'));
      assert.deepEqual([...statuses], [404, 429]);
      const { userCode } = await begin();
      assert.equal(await answer(userCode, 'allow'), 429, 'even with the right one');
      relay.skewMs += 5 * MINUTE;
      assert.equal(await answer(userCode, 'allow'), 200);
    });

    test('only so many of one network wait', async () => {
      relay.skewMs += 10 * MINUTE;
      for (let n = 0; n < 10; n += 1) await begin();
      const more = () => machine.json(`${relay.origin}/cli/device`, 'POST', { machine: 'build01' });
      assert.equal((await more()).status, 429);
      const elsewhere = await relay.identity.deviceCodes.begin('lab', '192.0.2.7');
      assert.ok(elsewhere.deviceCode);
      relay.skewMs += 10 * MINUTE;
      assert.equal((await more()).status, 200, 'they do not wait for ever');
    });

    test('the database holds neither code', async () => {
      relay.skewMs += 10 * MINUTE;
      const { deviceCode, userCode } = await begin();
      const { rows } = await store.pool.query<{ text: string }>('SELECT device_code::text AS text FROM device_code');
      const held = rows.map(({ text }) => text).join();
      assert.ok(held.includes('build01'));
      assert.ok(!held.includes(deviceCode) && !held.includes(parseUserCode(userCode) ?? userCode));
    });
  });
}

test('a user code is read in either case and with what people put between', () => {
  for (const typed of ['WDJB-MJHT', 'wdjbmjht', ' wdjb mjht ', 'WDJB–MJHT'])
    assert.equal(parseUserCode(typed), 'WDJBMJHT');
  for (const typed of ['', 'WDJB-MJH', 'WDJB-MJHTX', 'WDJB-MJHA', 'WDJB-MJH1', 'ＷDJBMJHT'])
    assert.equal(parseUserCode(typed), undefined, typed);
});
