import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { LeaseEnded, LeaseOpened } from '../../src/domain/audit-event/lease.ts';
import { LEASE } from '../../src/domain/decision.ts';
import type { LeaseView, LeaseWish } from '../../src/domain/lease.ts';
import type { LeaseOptions } from '../../src/gateway/connection/leases.ts';
import { createNetworks } from '../../src/lib/networks.ts';
import { freePort } from '../e2e/free-port.ts';
import { connectFrom, converse, type Echo, startEcho } from './tcp-ends.ts';
import { closing, createWorld, sessionOf, type World } from './world.ts';

const MINE = '127.0.0.7';
const WISH: LeaseWish = {
  presented: { hash: 'alice', audience: 'token:http://relay.test' },
  via: 'token',
  address: MINE,
  userAgent: undefined,
  resource: 'wiki',
  connections: 1,
};

interface Place extends AsyncDisposable {
  readonly world: World;
  readonly echo: Echo;
  open(wish?: Partial<LeaseWish>): Promise<LeaseView>;
  refused(wish?: Partial<LeaseWish>): Promise<number>;
  opened(): LeaseOpened | undefined;
  ended(): Promise<LeaseEnded>;
}

async function createPlace(options: Partial<LeaseOptions> = {}): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const first = Math.min(await freePort(), 65_000);
  const echo = undo.use(await startEcho());
  const leases = {
    ports: [first, first + 30],
    listen: '127.0.0.1',
    host: '127.0.0.1',
    connections: 2,
    proxies: undefined,
    ...options,
  } as const;
  const world = undo.use(await createWorld((_req, res) => res.end(), {}, leases));
  world.resource({ protocol: 'tcp', hosts: [] });
  world.dialPort = echo.port;
  const ask = (wish: Partial<LeaseWish> = {}) =>
    world.gateway.leases?.open({ ...WISH, ...wish }) ?? assert.fail('none are configured');
  const held = undo.move();
  return {
    world,
    echo,
    async open(wish) {
      const answer = await ask(wish);
      return 'port' in answer ? answer : assert.fail(answer.refusal.message);
    },
    async refused(wish) {
      const answer = await ask(wish);
      return 'refusal' in answer ? answer.refusal.status : assert.fail('It was leased.');
    },
    opened: () => world.audit.events.find((event) => event.kind === 'lease.opened'),
    ended: () => world.audit.until(() => world.audit.events.find((event) => event.kind === 'lease.ended')),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

describe('a leased port', () => {
  it('leads its person to the resource: each connection is decided, and recorded before the target hears of it', async () => {
    await using place = await createPlace();
    const { world, echo } = place;
    const lease = await place.open();
    assert.deepEqual([lease.host, lease.address, lease.connections], ['127.0.0.1', MINE, 1]);
    assert.equal(place.opened()?.port, lease.port);
    let before = -1;
    echo.onByte = () => {
      before = world.audit.intents.length;
    };
    const text = 'hello '.repeat(50_000);
    assert.equal(await converse(lease.port, MINE, text), text);
    assert.equal(before, 1);
    const [intent] = world.audit.intents;
    assert.deepEqual(
      [intent?.via, intent?.method, intent?.access, intent?.session, intent?.personal?.address],
      ['address', LEASE, 'tcp', 'session-alice', MINE],
    );
    assert.equal((await world.audit.outcomeOf(0)).end, 'completed');
    assert.deepEqual(
      world.checks.map(({ action }) => action.method),
      world.checks.map(() => LEASE),
    );
    const ended = await place.ended();
    assert.deepEqual([ended.lease, ended.reason, ended.begun], [lease.id, 'used', 1]);
    assert.equal(await converse(lease.port, MINE, 'again'), 'ECONNREFUSED');
    assert.equal(echo.spoken, 1);
  });

  it('takes as many connections as were asked for, and no more', async () => {
    await using place = await createPlace();
    const { port } = await place.open({ connections: 2 });
    const first = connectFrom(port, MINE);
    first.write('first');
    await once(first, 'data');
    assert.equal(await converse(port, MINE, 'second'), 'second');
    assert.equal(await converse(port, MINE, 'third'), 'ECONNREFUSED');
    assert.equal(first.destroyed, false, 'what is open goes on');
    first.destroy();
    assert.equal((await place.ended()).begun, 2);
    assert.equal(await place.refused({ connections: 3 }), 400);
  });

  it('is closed to every other address: reset without a byte, counted, and nothing is forwarded', async () => {
    await using place = await createPlace();
    const { world, echo } = place;
    const { port } = await place.open();
    assert.equal(await converse(port, '127.0.0.8', 'hello'), 'ECONNRESET');
    assert.deepEqual(world.strangers, ['lease_of_another_address']);
    assert.deepEqual([world.audit.intents.length, echo.spoken], [0, 0]);
    assert.equal(await converse(port, MINE, 'hello'), 'hello', 'and its person still gets in');
  });

  it('closes when no connection began in time; what began goes on', async () => {
    await using place = await createPlace();
    const { world } = place;
    world.now = Date.now();
    const { port, expiresAt } = await place.open({ connections: 2 });
    assert.equal(expiresAt - world.now, 60_000);
    const early = connectFrom(port, MINE);
    early.write('early');
    await once(early, 'data');
    world.now = expiresAt;
    assert.match(await converse(port, MINE, 'late'), /ECONNRE(SET|FUSED)/);
    early.end('still there');
    assert.equal(String((await once(early, 'data'))[0]), 'still there');
    const ended = await place.ended();
    assert.deepEqual([ended.reason, ended.begun], ['expired', 1]);
  });

  it('is told only when it is on record, and is not open before', async () => {
    await using place = await createPlace();
    const { world } = place;
    world.audit.failing = true;
    assert.equal(await place.refused(), 503);
    assert.deepEqual(world.gateway.leases?.list(), []);
    world.audit.failing = false;
    assert.equal(place.opened(), undefined);

    const first = await freePort();
    await using narrow = await createPlace({ ports: [first, first] });
    const { audit } = narrow.world;
    const held: (() => void)[] = [];
    audit.held = held;
    const opening = narrow.open();
    const release = await audit.until(() => held[0]);
    assert.equal(await converse(first, MINE, 'hello'), 'ECONNRESET');
    release();
    audit.held = undefined;
    assert.equal((await opening).port, first);
    assert.equal(await converse(first, MINE, 'hello'), 'hello');
  });

  it('is not told to whom lost it while it was being recorded', async () => {
    await using place = await createPlace();
    const { world } = place;
    const held: (() => void)[] = [];
    world.audit.held = held;
    const opening = place.refused();
    const release = await world.audit.until(() => held[0]);
    world.sessions.delete('alice');
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
    release();
    assert.equal(await opening, 403);
    const ended = await place.ended();
    assert.equal(ended.lease, place.opened()?.id);
    assert.equal(ended.begun, 0);
  });

  it('is not given to whom no rule allows it, and that is on record', async () => {
    await using place = await createPlace();
    const { world } = place;
    world.decide = ({ action }) => (action.method === LEASE ? { effect: 'deny', message: 'Not here.' } : {});
    const answer = await world.gateway.leases?.open(WISH);
    assert.ok(answer && 'refusal' in answer);
    assert.deepEqual([answer.refusal.status, answer.refusal.message], [403, 'Not here.']);
    const [intent] = world.audit.intents;
    assert.deepEqual(
      [intent?.id, intent?.effect, intent?.method, intent?.via],
      [answer.reference, 'deny', LEASE, 'token'],
    );
    assert.equal(place.opened(), undefined);
    assert.equal(await place.refused({ resource: 'nothing' }), 404);
    assert.equal(await place.refused({ presented: { hash: 'nobody', audience: '' } }), 401);
  });

  it('asks again for each connection: a rule that went takes the port with it', async () => {
    await using place = await createPlace();
    const { world, echo } = place;
    const { port } = await place.open({ connections: 2 });
    // Before the change is told, the connection itself is denied.
    world.decide = () => ({ effect: 'deny' });
    assert.equal(await converse(port, MINE, 'hello'), 'ECONNRESET');
    assert.deepEqual([world.audit.intents[0]?.effect, echo.spoken], ['deny', 0]);
    world.newSnapshot();
    world.change({ kind: 'snapshot_changed', version: 2 });
    assert.equal((await place.ended()).reason, 'policy_changed');
    assert.equal(await converse(port, MINE, 'hello'), 'ECONNREFUSED');
  });

  it('ends with the session: idle or in use, and nobody else’s', async () => {
    await using place = await createPlace();
    const { world } = place;
    const idle = await place.open();
    const used = await place.open();
    const bobs = await place.open({ presented: { hash: 'bob', audience: '' } });
    const socket = connectFrom(used.port, MINE);
    socket.on('error', () => {});
    socket.write('hello');
    await once(socket, 'data');
    world.sessions.delete('alice');
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
    await closing(socket);
    assert.equal(await converse(idle.port, MINE, 'hello'), 'ECONNREFUSED');
    const outcome = await world.audit.outcomeOf(0);
    assert.deepEqual([outcome.end, outcome.reason], ['terminated', 'signed_out']);
    assert.equal(await converse(bobs.port, MINE, 'hello'), 'hello');
    const reasons = await world.audit.until(() => {
      const found = world.audit.events.filter((event) => event.kind === 'lease.ended');
      return found.length === 3 ? found.map(({ reason }) => reason) : undefined;
    });
    assert.deepEqual(reasons.toSorted(), ['signed_out', 'signed_out', 'used']);
  });

  it('ends when what leased it opens no session any more', async () => {
    await using place = await createPlace();
    const { world } = place;
    await place.open();
    world.sessions.set('alice', { ...sessionOf('alice'), id: 'another' });
    world.change({ kind: 'principal_changed', principal: 'principal-alice' });
    assert.equal((await place.ended()).reason, 'session_revoked');
  });

  it('is ended by others, with what is open', async () => {
    await using place = await createPlace();
    const { world } = place;
    const { id, port } = await place.open();
    const socket = connectFrom(port, MINE);
    const failed = new Promise<string | undefined>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    socket.write('hello');
    await once(socket, 'data');
    assert.equal(world.gateway.leases?.end('another', 'principal-bob'), false);
    assert.equal(world.gateway.leases?.end(id, 'principal-bob'), true);
    assert.equal(await failed, 'ECONNRESET', 'which nobody takes for the end of what came');
    assert.equal((await world.audit.outcomeOf(0)).reason, 'lease_ended');
    const ended = await place.ended();
    assert.deepEqual([ended.reason, ended.by, ended.principal], ['lease_ended', 'principal-bob', 'principal-alice']);
  });

  it('is one of eight of a session, and out of a range; a port rests before it is leased again', async () => {
    const first = Math.min(await freePort(), 65_000);
    await using place = await createPlace({ ports: [first, first + 3] });
    const { world } = place;
    const as = (hash: string) => ({ presented: { hash, audience: '' } });
    world.sessions.set('alice2', { ...sessionOf('alice'), id: 'session-alice2' });
    world.sessions.set('carol', sessionOf('carol'));
    world.now = Date.now();
    const one = await place.open();
    world.gateway.leases?.end(one.id);
    const two = await place.open();
    assert.notEqual(one.port, two.port);
    // Half of the ports are one person's at most, resting ones included, over all sessions.
    assert.equal(await place.refused(), 429);
    assert.equal(await place.refused(as('alice2')), 429);
    await place.open(as('bob'));
    await place.open(as('bob'));
    world.gateway.leases?.end(two.id);
    assert.equal(await place.refused(as('carol')), 503);
    world.now += 60_000;
    assert.equal((await place.open()).port, one.port);

    await using wide = await createPlace();
    for (let n = 0; n < 8; n += 1) await wide.open();
    assert.equal(await wide.refused(), 429);
    await wide.open({ presented: { hash: 'bob', audience: '' } });
  });

  it('behind a proxy is open to the address that it tells, and to nobody who comes without', async () => {
    await using place = await createPlace({ proxies: createNetworks(['127.0.0.1']) });
    const { world, echo } = place;
    const { port } = await place.open({ address: '203.0.113.5' });
    const through = (client: string) => `PROXY TCP4 ${client} 127.0.0.1 4000 ${port}\r\nhello`;
    assert.match(await converse(port, '203.0.113.5'.length > 0 ? MINE : '', 'hello'), /^$|ECONNRESET/);
    assert.equal(await converse(port, '127.0.0.1', through('203.0.113.6')), 'ECONNRESET');
    assert.equal(await converse(port, '127.0.0.1', 'PROXY UNKNOWN\r\nhello'), 'ECONNRESET');
    assert.deepEqual([world.audit.intents.length, echo.spoken], [0, 0]);
    assert.equal(await converse(port, '127.0.0.1', through('203.0.113.5')), 'hello');
    assert.equal(world.audit.intents[0]?.personal?.address, '203.0.113.5');
  });

  it('ends with the relay', async () => {
    const place = await createPlace();
    const { port } = await place.open();
    await place[Symbol.asyncDispose]();
    assert.equal((await place.ended()).reason, 'relay_stopping');
    assert.equal(await converse(port, MINE, 'hello'), 'ECONNREFUSED');
  });
});
