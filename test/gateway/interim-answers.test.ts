import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createRawTarget } from './raw-target.ts';
import { asAlice, createWorld, HOST } from './world.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** The gateway before a target that answers each request like this. */
async function before(answer: (socket: Socket, head: string) => void) {
  await using undo = new AsyncDisposableStack();
  const target = undo.use(await createRawTarget(answer));
  const world = undo.use(await createWorld(() => undefined));
  world.dialPort = target.port;
  const held = undo.move();
  return { world, target, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

const request = (method: string, ...more: string[]) =>
  [`${method} / HTTP/1.1`, `Host: ${HOST}`, `Cookie: ${asAlice.Cookie}`, ...more, '', ''].join('\r\n');
const get = request('GET', 'Connection: close');
const post = (origin: string, ...more: string[]) =>
  `${request('POST', `Origin: ${origin}`, 'Content-Length: 2', 'Connection: close', ...more)}hi`;

describe('a target that says 1xx unasked (RFC 9110 §15.2)', () => {
  const interim = {
    'one 100 Continue': CONTINUE,
    'several, in pieces': CONTINUE.repeat(3),
    '100 with fields': 'HTTP/1.1 100 Continue\r\nServer: old\r\n\r\n',
    '102 Processing': 'HTTP/1.1 102 Processing\r\n\r\n',
    'one that nobody knows': 'HTTP/1.1 199 Whatever\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(interim))
    it(`gets its real answer through: ${what}`, async () => {
      await using it = await before((socket) => {
        for (const piece of bytes.match(/[^]{1,20}/g) ?? []) socket.write(piece);
        socket.write(FINAL);
      });
      const { world } = it;
      for (const bytes of [get, post(world.origin)]) {
        const answer = await world.raw(bytes);
        assert.match(answer, /HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
        assert.doesNotMatch(answer, / 100 Continue/, 'nobody asked for it');
      }
      for (const access of [0, 1]) assert.equal((await world.audit.outcomeOf(access)).end, 'completed');
    });

  it('is asked again on the same connection, and each request gets its own answer', async () => {
    let answered = 0;
    await using it = await before((socket) => {
      answered += 1;
      socket.write(`${CONTINUE}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${answered}`);
    });
    const { world, target } = it;
    for (const count of ['1', '2', '3']) assert.equal((await world.raw(get)).at(-1), count);
    assert.equal(target.connections, 1);
  });

  it('does not answer for us: who asked for 100 gets it once', async () => {
    await using it = await before((socket) => socket.write(CONTINUE + FINAL));
    const { world } = it;
    const answer = await world.raw(post(world.origin, 'Expect: 100-continue'));
    assert.equal(answer.match(/ 100 Continue/g)?.length, 1);
    assert.match(answer, /HTTP\/1\.1 200 OK\r\n[^]*hello$/);
  });

  it('and then nothing more, or 101 unasked, is a failure of the target: 502', async () => {
    for (const bytes of [CONTINUE, 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n']) {
      await using it = await before((socket) => void socket.end(bytes));
      assert.match(await it.world.raw(get), /^HTTP\/1\.1 502 /);
    }
  });
});
