import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { asAlice, closing, createWorld, HOST, listen, type World } from './world.ts';

const COOKIE = `Cookie: ${asAlice.Cookie}\r\n`;
const SHORT = { clientStallMs: 300, sweepMs: 50, halfClosedMs: 300 };
const someSweeps = () => new Promise((resolve) => setTimeout(resolve, 3 * SHORT.sweepMs));

function send(world: World, bytes: string): Socket {
  const socket = connect(world.port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  return socket;
}

/** A client of Alice's that asks for `/` and reads nothing. */
function unreadClient(world: World) {
  const server = createServer((req, res) => world.gateway.handleRequest(req, res));
  let answer: (() => void) | undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const client = new Duplex({
    read: () => undefined,
    // Never done.
    write: () => answer?.(),
  });
  client.on('error', () => undefined);
  server.emit('connection', client);
  client.push(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
  return {
    client,
    /** The relay has given it all of the answer, or its first part. */
    answered,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('peers that are slow', () => {
  it('a client that stops in the middle of its body is cut, and so is its target', async () => {
    let targetCut: (() => void) | undefined;
    const cut = new Promise<void>((resolve) => {
      targetCut = resolve;
    });
    await using world = await createWorld((req) => {
      req.on('error', () => undefined);
      req.resume().on('close', () => targetCut?.());
    }, SHORT);
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\n`;
    await closing(send(world, `${post}Content-Length: 100\r\n\r\nbegun`));
    await cut;
    const outcome = await world.audit.outcomeOf(0);
    assert.deepEqual([outcome.end, outcome.bytesUp], ['timed_out', 5]);
  });

  it('a client that does not read its answer is cut, and so is its target', async () => {
    let targetCut: (() => void) | undefined;
    const cut = new Promise<void>((resolve) => {
      targetCut = resolve;
    });
    await using world = await createWorld((_req, res) => {
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(64 * 1024)));
      };
      res.on('drain', more).on('close', () => targetCut?.());
      more();
    }, SHORT);
    const client = send(world, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
    client.pause();
    await cut;
    assert.equal((await world.audit.outcomeOf(0)).end, 'timed_out');
    client.destroy();
  });

  for (const [size, what] of [
    [3, 'a short answer'],
    [60_000, 'the end of an answer'],
  ] as const) {
    it(`a client that does not read ${what} is cut, whole as it is`, async () => {
      await using world = await createWorld((_req, res) => res.end('x'.repeat(size)), SHORT);
      await using unread = unreadClient(world);
      await closing(unread.client);
      assert.equal((await world.audit.outcomeOf(0)).end, 'timed_out');
    });

    it(`${what} that is not read yet ends with the session`, async () => {
      await using world = await createWorld((_req, res) => res.end('x'.repeat(size)));
      await using unread = unreadClient(world);
      await unread.answered;
      world.sessions.delete('alice');
      world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
      await closing(unread.client);
      const outcome = await world.audit.outcomeOf(0);
      assert.deepEqual([outcome.end, outcome.reason], ['terminated', 'signed_out']);
      assert.equal(world.gateway.live.list().length, 0);
    });
  }

  it('an answer that waits for an earlier one on its connection is not cut', async () => {
    let first: ServerResponse | undefined;
    await using world = await createWorld((req, res) => {
      if (req.url === '/first') first = res;
      else res.end('second');
    }, SHORT);
    const drip = () => first?.write('.');
    const request = `Host: ${HOST}\r\n${COOKIE}\r\n`;
    const client = send(
      world,
      `GET /first HTTP/1.1\r\n${request}GET /second HTTP/1.1\r\nConnection: close\r\n${request}`,
    );
    let answers = '';
    client.setEncoding('utf8').on('data', (text: string) => {
      answers += text;
    });
    // Longer than a stalled client would get: several sweeps see the second one wait.
    const dripping = setInterval(drip, 50);
    await new Promise((resolve) => setTimeout(resolve, 800));
    clearInterval(dripping);
    first?.end();
    await once(client, 'close');
    assert.match(answers, /second$/);
    assert.deepEqual(
      world.audit.outcomes.map(({ end }) => end),
      ['completed', 'completed'],
    );
  });

  it('a client that reads and sends slowly, but does, is not cut', async () => {
    const arrivals = new EventEmitter();
    await using world = await createWorld((req, res) => {
      let got = '';
      req.setEncoding('utf8').on('data', (text: string) => {
        got += text;
        arrivals.emit('some');
      });
      req.on('end', () => res.end(got));
    }, SHORT);
    world.elapsed = 1;
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: close\r\n`;
    const client = send(world, `${post}Content-Length: 8\r\n\r\n`);
    let answer = '';
    client.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    const gone = closing(client);
    for (let sent = 0; sent < 8; sent += 1) {
      const arrived = once(arrivals, 'some');
      client.write('x');
      await arrived;
      world.elapsed += SHORT.clientStallMs;
      await someSweeps();
    }
    await gone;
    assert.match(answer, /^HTTP\/1\.1 200 [^]*xxxxxxxx$/);
  });

  it('a clock that is set forward makes nobody slow', async () => {
    await using world = await createWorld((req, res) => void req.resume().on('end', () => res.end('all')), {
      sweepMs: SHORT.sweepMs,
    });
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: close\r\n`;
    const client = send(world, `${post}Content-Length: 2\r\n\r\nx`);
    await world.audit.until(() => world.audit.intents[0]);
    await someSweeps();
    world.now = Date.now() + 3_600_000;
    await someSweeps();
    client.write('y');
    let answer = '';
    for await (const text of client.setEncoding('utf8')) answer += text;
    assert.match(answer, /^HTTP\/1\.1 200 [^]*all$/);
    assert.equal((await world.audit.outcomeOf(0)).end, 'completed');
  });

  it('a target that does not read holds the client back, and that is no fault of the client', async () => {
    let targetSocket: Socket | undefined;
    await using world = await createWorld((req) => {
      targetSocket = req.socket;
      req.pause();
    }, SHORT);
    world.elapsed = 1;
    const size = 64 * 1024 * 1024;
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\n`;
    const client = send(world, `${post}Content-Length: ${size}\r\n\r\n`);
    client.write(Buffer.alloc(size / 2));
    const gone = closing(client.resume());
    // Nothing moved for a while: everyone between is full.
    const seen = () => `${client.bytesWritten} ${client.writableLength}`;
    for (let before = ''; before !== seen(); ) {
      before = seen();
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    world.elapsed += 10 * SHORT.clientStallMs;
    await someSweeps();
    assert.equal(client.destroyed, false);
    assert.equal(world.audit.outcomes.length, 0);
    targetSocket?.destroy();
    await gone;
    assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed');
  });

  it('a WebSocket of which nothing is read is cut with its session', async () => {
    await using world = await createWorld(() => undefined, SHORT);
    world.target.removeAllListeners('upgrade');
    world.target.on('upgrade', (_req, socket: Socket) => {
      socket.on('error', () => undefined).resume();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024)));
      };
      socket.on('drain', more);
      more();
    });
    let atRelay: Socket | undefined;
    const server = createServer().on('upgrade', (req, socket: Socket, head) => {
      atRelay = socket;
      world.gateway.handleUpgrade(req, socket, head);
    });
    const client = connect(await listen(server), '127.0.0.1');
    client.on('error', () => undefined).pause();
    client.write(
      `GET / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    while ((atRelay?.writableLength ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    const cut = closing(atRelay);
    world.sessions.delete('alice');
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
    await cut;
    assert.equal((await world.audit.outcomeOf(0)).end, 'terminated');
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  for (const side of ['client', 'target'] as const) {
    it(`a WebSocket whose ${side} has ended waits only so long for the other`, async () => {
      let atTarget: Socket | undefined;
      await using world = await createWorld(() => undefined, SHORT);
      world.target.removeAllListeners('upgrade');
      world.target.on('upgrade', (_req, socket: Socket) => {
        atTarget = socket;
        socket.on('error', () => undefined).resume();
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        if (side === 'target') socket.end();
      });
      const client = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
      client.on('error', () => undefined);
      client.write(
        `GET / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      await once(client, 'data');
      client.resume();
      const agentCut = side === 'client' ? closing(world.streams[0]?.socket) : undefined;
      if (side === 'client') client.end();
      const outcome = await world.audit.outcomeOf(0);
      assert.equal(outcome.end, side === 'client' ? 'client_closed' : 'target_closed');
      await agentCut;
      assert.equal(world.gateway.live.list().length, 0);
      client.destroy();
      atTarget?.destroy();
    });
  }
});
