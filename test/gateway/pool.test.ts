import assert from 'node:assert/strict';
import { type RequestListener, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { MAX_STREAMS_PER_SESSION } from '../../src/gateway/limits.ts';
import { asAlice, asBob, createWorld } from './world.ts';

describe('the streams to targets', () => {
  it('are reused by the same session, and never carry two', async () => {
    await using world = await createWorld((_req, res) => res.end('x'));
    for (const who of [asAlice, asAlice, asBob, asAlice, asBob]) {
      await world.get('/', who);
      await world.audit.outcomeOf(world.audit.intents.length - 1);
    }
    assert.equal(world.streams.length, 2);
    const used = world.audit.intents.map(({ session, stream, ordinal }) => `${session} ${stream} ${ordinal}`);
    const [a1, , b1] = world.audit.intents.map(({ stream }) => stream);
    assert.deepEqual(used, [
      `session-alice ${a1} 1`,
      `session-alice ${a1} 2`,
      `session-bob ${b1} 1`,
      `session-alice ${a1} 3`,
      `session-bob ${b1} 2`,
    ]);
  });

  it('are bounded per session: the next waits, then gets 503, and others are not held up', async () => {
    const waiting: ServerResponse[] = [];
    let full: (() => void) | undefined;
    const allThere = new Promise<void>((resolve) => {
      full = resolve;
    });
    const hold: RequestListener = (req, res) => {
      if (req.url !== '/hold') {
        res.end('x');
        return;
      }
      waiting.push(res);
      if (waiting.length === MAX_STREAMS_PER_SESSION) full?.();
    };
    await using world = await createWorld(hold);
    const held = Array.from({ length: MAX_STREAMS_PER_SESSION }, () => world.get('/hold', asAlice));
    await allThere;
    const [tooMuch, other] = await Promise.all([world.get('/', asAlice), world.get('/', asBob)]);
    assert.equal(tooMuch.status, 503);
    assert.equal(JSON.parse(tooMuch.body).code, 'limit_reached');
    assert.equal(other.status, 200);
    const refused = world.audit.intents.find((intent) => intent.id === JSON.parse(tooMuch.body).reference);
    assert.ok(refused && refused.stream === undefined, 'recorded without a stream');
    assert.equal((await world.audit.outcomeOf(world.audit.intents.indexOf(refused))).end, 'not_forwarded');
    const next = world.get('/', asAlice);
    for (const res of waiting) res.end('late');
    assert.equal((await next).status, 200);
    for (const answer of await Promise.all(held)) assert.equal(answer.body, 'late');
    assert.equal(world.streams.length, MAX_STREAMS_PER_SESSION + 1);
  });

  it('carry more after a HEAD', async () => {
    await using world = await createWorld((_req, res) => res.setHeader('Content-Length', 5).end());
    for (const method of ['HEAD', 'HEAD', 'GET', 'HEAD']) await world.get('/', asAlice, method).catch(() => undefined);
    assert.deepEqual(
      world.audit.intents.map((intent) => intent.ordinal),
      [1, 2, 3, 1],
      'the short GET broke its stream, no HEAD did',
    );
  });

  it('that a target closed just before are replaced once, for safe requests without a body', async () => {
    let dying = false;
    await using world = await createWorld((req, res) => {
      if (!dying) {
        res.end('x');
        return;
      }
      dying = false;
      req.socket.destroy();
    });
    await world.get('/', asAlice);
    await world.audit.outcomeOf(0);
    dying = true;
    assert.equal((await world.get('/', asAlice)).status, 200);
    const outcome = await world.audit.outcomeOf(1);
    assert.equal(outcome.end, 'completed');
    assert.ok(outcome.retriedOn && outcome.retriedOn !== world.audit.intents[1]?.stream);
    assert.match(world.streams[1]?.receipt ?? '', new RegExp(world.audit.intents[1]?.id ?? 'none'));
    dying = true;
    const posted = await world.get('/', { ...asAlice, Origin: world.origin }, 'POST');
    assert.equal(posted.status, 502, 'an unsafe request is never sent twice');
    assert.equal((await world.audit.outcomeOf(2)).end, 'target_closed');
  });
});
