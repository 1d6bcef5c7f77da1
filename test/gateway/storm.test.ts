import assert from 'node:assert/strict';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { it } from 'node:test';
import { MAX_STREAMS_PER_SESSION } from '../../src/gateway/limits.ts';
import { SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { asAlice, createWorld, HOST, sessionOf, type World } from './world.ts';

/** Park–Miller: the same storm in each run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % sides;
  };
}

/** Requests that are answered once as many wait as may be open at all. */
const waiting: ServerResponse[] = [];

function misbehave(roll: (sides: number) => number) {
  return (req: IncomingMessage, res: ServerResponse) => {
    if (req.url === '/calm') {
      waiting.push(res);
      if (waiting.length === MAX_STREAMS_PER_SESSION) for (const one of waiting) one.end();
      return;
    }
    req.on('error', () => undefined);
    const who = String(req.headers['remote-user']);
    switch (roll(8)) {
      case 0:
        req.socket.destroy();
        break;
      case 1:
        res.write(who, () => req.socket.destroy());
        break;
      case 2:
        res.writeHead(413, { Connection: 'close' }).end(who);
        break;
      case 3:
        res.write(who);
        setTimeout(() => res.end(), roll(30));
        break;
      default:
        req.resume();
        req.on('end', () => res.end(who + 'x'.repeat(roll(100_000))));
    }
  };
}

function visit(world: World, roll: (sides: number) => number): Promise<string> {
  const name = roll(2) === 0 ? 'alice' : 'bob';
  const method = roll(3) === 0 ? 'POST' : 'GET';
  return new Promise((resolve) => {
    const headers = { Host: HOST, Cookie: `${SESSION_COOKIE}=${name}`, Origin: world.origin };
    const sent = request({ port: world.port, path: `/${roll(100)}`, method, headers, agent: false }, (res) => {
      let body = '';
      res.on('data', (chunk: Buffer) => {
        body += chunk.toString();
        if (roll(10) === 0) res.destroy();
      });
      res.on('error', () => undefined);
      res.on('close', () =>
        resolve(res.statusCode === 200 && body !== '' && !body.startsWith(name) ? `${name} got ${body}` : ''),
      );
    });
    sent.on('error', () => resolve(''));
    if (method === 'POST') sent.write('y'.repeat(roll(50_000)));
    if (roll(12) === 0) setTimeout(() => sent.destroy(), roll(10));
    sent.end();
  });
}

it('after a storm of breaking clients, targets and authority nothing is left open and every intent has its outcome', async () => {
  const roll = dice(20_261_120);
  await using world = await createWorld(misbehave(roll));
  let epoch = 1;
  const wrong: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const visits = Array.from({ length: 50 }, () => visit(world, roll));
    if (round % 3 === 0) {
      epoch += 1;
      world.sessions.set('alice', { ...sessionOf('alice'), epoch });
      world.change({ kind: 'principal_changed', principal: 'principal-alice' });
    } else if (round % 3 === 1) world.change({ kind: 'session_revoked', session: 'session-bob', reason: 'signed_out' });
    else {
      world.newSnapshot();
      world.change({ kind: 'snapshot_changed', version: round });
    }
    wrong.push(...(await Promise.all(visits)).filter((text) => text !== ''));
  }
  await world.audit.until(() => (world.gateway.live.list().length === 0 ? true : undefined));
  assert.deepEqual(wrong, [], 'nobody got an answer for somebody else');
  await world.audit.until(() => (world.audit.outcomes.length >= world.audit.intents.length ? true : undefined));
  const ended = world.audit.outcomes.map(({ intent }) => intent).toSorted();
  assert.deepEqual(ended, world.audit.intents.map(({ id }) => id).toSorted());
  assert.ok(
    world.seen.length <= world.audit.intents.length + world.audit.outcomes.filter((one) => one.retriedOn).length,
  );

  const calm = Array.from({ length: MAX_STREAMS_PER_SESSION }, () => world.get('/calm', asAlice));
  for (const { status } of await Promise.all(calm)) assert.equal(status, 200, 'no place was lost');
});
