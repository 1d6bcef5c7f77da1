import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Actor } from '../../src/domain/audit-event/event-base.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { pause } from '../../src/lib/wait.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases } from '../store/databases.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BY: Actor = { principal: 'root', session: 'roots', facts: '', personal: { email: 'root@example.com' } };

for (const kind of KINDS) {
  describe(`services and their tokens, on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;
    let store: Store;
    let at: string;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      store = undo.use(await databases.open('services'));
      const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
      relay = undo.use(await startRelay(store, async () => provider.issuer));
      at = relay.appOrigin('wiki');
    });
    after(() => undo.disposeAsync());

    const now = () => Date.now() + relay.skewMs;
    const services = () => relay.identity.services;
    const create = async (name: string) => {
      await services().create(name, 'ops@example.com', 'builds and tests', BY);
      return name;
    };
    const issue = (name: string, more: { lifeMs?: number; scope?: string[] } = {}) =>
      services().issueToken(
        name,
        { label: 'nightly', scope: more.scope ?? ['wiki'], expiresAt: now() + (more.lifeMs ?? 90 * DAY) },
        BY,
      );
    const read = (token: string, audience = at) => relay.identity.sessions.readToken(token, audience);
    const tokensOf = async (name: string) =>
      (await services().list(100)).find((service) => service.name === name)?.tokens ?? [];

    test('a token is its service, within its scope, wherever it is shown, and never a cookie', async () => {
      const name = await create('ci');
      const { id, token } = await issue(name, { scope: ['wiki', 'metrics'] });
      const session = await read(token);
      assert.deepEqual(
        [session?.id, session?.scope, session?.principal.kind, session?.principal.subject, session?.principal.groups],
        [id, ['wiki', 'metrics'], 'service', 'service:ci', []],
      );
      assert.equal((await read(token, relay.origin))?.id, id, 'for its tunnel');
      assert.equal(await relay.identity.sessions.readCookie(token, 'wiki.postern.localhost'), undefined);
      assert.equal(await read(token.slice(0, -1) + (token.endsWith('_') ? '-' : '_')), undefined);
      assert.deepEqual(relay.facts.get(session?.factsHash ?? '')?.['scope'], ['wiki', 'metrics']);
      const kinds = relay.events.flatMap((event) => (event.kind.startsWith('service.') ? [event] : []));
      assert.deepEqual(
        kinds.map((event) => [event.kind, event.principal]),
        [
          ['service.created', 'root'],
          ['service.token_issued', 'root'],
        ],
      );
      assert.ok(!JSON.stringify(kinds).includes(token));
      assert.deepEqual(await relay.identity.sessions.list(undefined, 10), [], 'it is nobody’s sign-in');
    });

    test('it does not end for lack of use, but at its time', async () => {
      const { token, id } = await issue(await create('monthly'), { lifeMs: 60 * DAY });
      assert.ok(await read(token));
      relay.skewMs = 40 * DAY;
      await relay.identity.sessions.sweep();
      assert.equal((await read(token))?.id, id);
      relay.skewMs = 60 * DAY;
      assert.equal(await read(token), undefined);
      await relay.identity.sessions.sweep();
      const ended = relay.events.find((event) => event.kind === 'session.ended' && event.session === id);
      assert.ok(ended);
      relay.skewMs = 0;
    });

    test('its last use is known, and unused ones are flagged', async () => {
      const name = await create('seldom');
      const { token } = await issue(name);
      const look = async () => (await tokensOf(name))[0];
      assert.deepEqual([(await look())?.unused, (await look())?.lastUsedAt], [true, undefined]);
      await read(token);
      const first = (await look())?.lastUsedAt ?? assert.fail('the first use is noted at once');
      assert.equal((await look())?.unused, false);
      relay.skewMs = MINUTE / 2;
      await read(token);
      assert.equal((await look())?.lastUsedAt, first, 'noted once a minute at most');
      relay.skewMs = 2 * MINUTE;
      await read(token);
      // Nobody waits for the note.
      while ((await look())?.lastUsedAt === first) await pause(5);
      assert.ok(((await look())?.lastUsedAt ?? 0) > first);
      relay.skewMs = 31 * DAY;
      assert.equal((await look())?.unused, true);
      relay.skewMs = 0;
    });

    test('rotation gives a new token of the same scope; the old one goes on for a day, or as was asked', async () => {
      const name = await create('rotating');
      const old = await issue(name, { lifeMs: 10 * DAY });
      assert.equal((await read(old.token))?.expiresAt, old.expiresAt);
      const next = await services().rotateToken(name, old.id, BY);
      assert.ok(next.oldEndsAt <= now() + DAY);
      assert.ok(next.expiresAt > old.expiresAt - MINUTE, 'it lives as long as the old one did');
      assert.equal((await read(old.token))?.expiresAt, next.oldEndsAt, 'also where it was in memory');
      assert.deepEqual((await read(next.token))?.scope, ['wiki']);
      relay.skewMs = DAY + MINUTE;
      assert.equal(await read(old.token), undefined);
      assert.ok(await read(next.token), 'its twin');
      relay.skewMs = 0;
      const last = await services().rotateToken(name, next.id, BY, { graceMs: 0 });
      assert.equal(await read(next.token), undefined);
      assert.ok(await read(last.token));
      await assert.rejects(services().rotateToken(name, next.id, BY), (error) => hasCode(error, 'not_found'));
      const records = relay.events.flatMap((event) => (event.kind === 'service.token_rotated' ? [event] : []));
      assert.deepEqual(
        records.map(({ token, replaces }) => [token, replaces]),
        [
          [next.id, old.id],
          [last.id, next.id],
        ],
      );
    });

    test('a revoked token is over at once, another of the service is not; nobody revokes it by another name', async () => {
      const [name, other] = [await create('leaky'), await create('other')];
      const [gone, kept] = [await issue(name), await issue(name)];
      assert.ok((await read(gone.token)) && (await read(kept.token)));
      const notFound = (error: unknown) => hasCode(error, 'not_found');
      await assert.rejects(services().revokeToken(other, gone.id, BY), notFound);
      await assert.rejects(services().rotateToken(other, gone.id, BY), notFound);
      await services().revokeToken(name, gone.id, BY);
      assert.equal(await read(gone.token), undefined);
      assert.ok(await read(kept.token));
      assert.deepEqual(
        (await tokensOf(name)).map(({ id }) => id),
        [kept.id],
      );
    });

    test('a disabled service has no tokens and gets none, until it is enabled', async () => {
      const name = await create('retired');
      const { token } = await issue(name);
      assert.ok(await read(token));
      await services().disable(name, BY);
      assert.equal(await read(token), undefined);
      await assert.rejects(issue(name), /disabled/);
      await services().enable(name, BY);
      assert.equal(await read(token), undefined, 'what was withdrawn stays so');
      assert.ok(await read((await issue(name)).token));
      const ended = relay.events.findLast((event) => event.kind === 'session.ended');
      assert.deepEqual([ended?.reason, ended?.by], ['principal_disabled', 'root']);
    });

    test('names are given once, lives and numbers are bounded', async () => {
      const name = await create('many');
      await assert.rejects(create(name), (error) => hasCode(error, 'request_invalid'));
      for (const lifeMs of [-1, 367 * DAY]) await assert.rejects(issue(name, { lifeMs }), /within a year/);
      const issued = await Promise.allSettled(Array.from({ length: 25 }, () => issue(name)));
      assert.equal(issued.filter(({ status }) => status === 'fulfilled').length, 20, 'also of many at once');
      await assert.rejects(issue(name), (error) => hasCode(error, 'limit_reached'));
      await assert.rejects(issue('nobody'), (error) => hasCode(error, 'not_found'));
    });

    test('without a record there is no token, and the database holds none', async () => {
      const name = await create('unrecorded');
      relay.auditDown = true;
      await assert.rejects(issue(name), (error) => hasCode(error, 'audit_unavailable'));
      relay.auditDown = false;
      assert.deepEqual(await tokensOf(name), []);
      const { token } = await issue(name);
      const { rows } = await store.pool.query<{ text: string }>('SELECT c::text AS text FROM session_credential c');
      assert.ok(!rows.some(({ text }) => text.includes(token.slice(4))));
    });
  });
}
