import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { asAlice, asBob, closing, createWorld, HOST, sessionOf, type World } from './world.ts';

async function download(world: World, headers: Record<string, string>): Promise<IncomingMessage> {
  const sent = request({ port: world.port, path: '/endless', agent: false, headers: { Host: HOST, ...headers } });
  sent.on('error', () => undefined);
  sent.end();
  const [res] = (await once(sent, 'response')) as [IncomingMessage];
  res.on('error', () => undefined);
  await once(res, 'data');
  res.resume();
  return res;
}

const endless = (_req: IncomingMessage, res: ServerResponse) => {
  const tick = setInterval(() => res.write('more\n'), 1);
  res.on('close', () => clearInterval(tick));
};

describe('what is open follows', () => {
  it('sign-out, for that session alone', async () => {
    await using world = await createWorld(endless);
    const alice = await download(world, asAlice);
    const bob = await download(world, asBob);
    const targetClosed = closing(world.streams[0]?.socket);
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
    await Promise.all([closing(alice), targetClosed]);
    assert.ok(!alice.complete);
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.end, 'terminated');
    assert.equal(outcome.reason, 'signed_out');
    assert.ok(outcome.bytesDown > 0);
    assert.ok(!bob.destroyed);
    assert.equal(world.gateway.live.list().length, 1);
  });

  it('a changed policy', async () => {
    await using world = await createWorld(endless);
    const alice = await download(world, asAlice);
    const bob = await download(world, asBob);
    world.decide = ({ principal }) => ({ effect: principal.subject === 'alice' ? 'deny' : 'allow' });
    world.newSnapshot();
    world.change({ kind: 'snapshot_changed', version: 2 });
    await closing(alice);
    assert.equal((await world.audit.outcomeOf(0)).reason, 'policy_changed');
    assert.ok(!bob.destroyed);
  });

  it('changed groups, read anew with the session', async () => {
    await using world = await createWorld(endless);
    world.decide = ({ principal }) => ({ effect: principal.groups.includes('staff') ? 'allow' : 'deny' });
    const alice = await download(world, asAlice);
    const { principal, ...session } = sessionOf('alice');
    world.sessions.set('alice', { ...session, epoch: 2, principal: { ...principal, groups: ['staff', 'new'] } });
    world.change({ kind: 'principal_changed', principal: principal.id });
    await new Promise(setImmediate);
    assert.equal(world.gateway.live.list()[0]?.session.epoch, 2);
    world.sessions.set('alice', { ...session, epoch: 3, principal: { ...principal, groups: [] } });
    world.change({ kind: 'principal_changed', principal: principal.id });
    await closing(alice);
    assert.equal((await world.audit.outcomeOf(0)).reason, 'policy_changed');
  });

  it('whatever a database that went back in time no longer knows', async () => {
    await using world = await createWorld(endless);
    const alice = await download(world, asAlice);
    const bob = await download(world, asBob);
    world.sessions.delete('alice');
    world.change({ kind: 'everything_changed' });
    await closing(alice);
    assert.ok(!bob.destroyed, 'its twin');
  });

  it('a revoked agent, and the end of the relay', async () => {
    await using world = await createWorld(endless);
    const alice = await download(world, asAlice);
    world.change({ kind: 'agent_revoked', agent: 'other' });
    assert.equal(world.gateway.live.list().length, 1);
    world.change({ kind: 'agent_revoked', agent: 'office' });
    await closing(alice);
    assert.equal((await world.audit.outcomeOf(0)).reason, 'agent_revoked');
    const bob = await download(world, asBob);
    await world.gateway.close();
    await closing(bob);
    assert.equal((await world.audit.outcomeOf(1)).reason, 'relay_stopping');
  });

  it('the end of the session by time', async () => {
    await using world = await createWorld(endless);
    world.sessions.set('alice', { ...sessionOf('alice'), expiresAt: Date.now() });
    const alice = await download(world, asAlice);
    await closing(alice);
    assert.equal((await world.audit.outcomeOf(0)).reason, 'session_expired');
  });

  it('before the target has answered: then the client is told why', async () => {
    let arrived: (() => void) | undefined;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await using world = await createWorld(() => arrived?.());
    const answer = world.get('/slow', asAlice);
    await arrival;
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'principal_disabled' });
    const { status, body } = await answer;
    assert.equal(status, 403);
    assert.match(body, /your account was disabled/);
    assert.equal((await world.audit.outcomeOf(0)).end, 'terminated');
  });

  it('the idle streams of a session end with it', async () => {
    await using world = await createWorld((_req, res) => res.end('x'));
    await world.get('/', asAlice);
    await world.audit.outcomeOf(0);
    const { socket } = world.streams[0] ?? {};
    assert.ok(socket && !socket.destroyed);
    const closed = closing(socket);
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'session_revoked' });
    await closed;
  });
});

describe('the gap between decision and first byte', () => {
  async function changedInGap(world: World, change: () => void) {
    world.audit.held = [];
    const answer = world.get('/', asAlice);
    await world.audit.until(() => (world.audit.held?.length ? true : undefined));
    change();
    const { held } = world.audit;
    world.audit.held = undefined;
    for (const land of held ?? []) land();
    return await answer;
  }

  it('ends in 403 when the session was revoked or the policy now denies', async () => {
    for (const change of [
      (world: World) => world.sessions.delete('alice'),
      (world: World) => {
        world.decide = () => ({ effect: 'deny' });
        world.newSnapshot();
      },
      (world: World) => world.resource({ agents: ['elsewhere'] }),
    ]) {
      await using world = await createWorld((_req, res) => res.end());
      const answer = await changedInGap(world, () => change(world));
      assert.equal(answer.status, 403);
      assert.equal((await world.audit.outcomeOf(0)).end, 'revoked_before_forward');
      assert.equal(world.seen.length, 0);
    }
  });

  it('goes on when the changed policy or session still allows', async () => {
    await using world = await createWorld((_req, res) => res.end('ok'));
    const answer = await changedInGap(world, () => {
      world.newSnapshot();
      world.sessions.set('alice', { ...sessionOf('alice'), epoch: 2 });
    });
    assert.equal(answer.body, 'ok');
  });

  it('is looked at again at the very first byte, on fresh and reused streams', async () => {
    await using world = await createWorld((_req, res) => res.end('ok'));
    for (let n = 0; n < 2; n += 1) {
      world.onLook = () => world.sessions.delete('alice');
      const answer = await world.get('/', asAlice);
      assert.equal(answer.status, 403);
      assert.equal((await world.audit.outcomeOf(n * 2)).end, 'revoked_before_forward');
      assert.equal(world.seen.length, n);
      world.onLook = undefined;
      world.sessions.set('alice', sessionOf('alice'));
      assert.equal((await world.get('/', asAlice)).status, 200);
    }
  });
});
