import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { dialWebSocket } from '../../src/tunnel/dial-websocket.ts';
import { MAX_MESSAGE_BYTES, type WebSocketTransport } from '../../src/tunnel/websocket-transport.ts';
import { SUBPROTOCOL, WebSocketAcceptor } from '../../src/tunnel/websocket-upgrade.ts';

const LIMIT_MS = 10_000;

/** A server whose upgrades go to `upgraded`; gives its URL. */
async function serve(
  t: TestContext,
  upgraded: (...upgrade: [Parameters<WebSocketAcceptor['accept']>[0], Duplex, Buffer]) => void,
): Promise<URL> {
  const server = createServer().on('upgrade', upgraded).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/tunnel?x=1`);
}

/** All that a transport receives until it closes. */
function received(transport: WebSocketTransport): Promise<{ bytes: Buffer; code: number; reason: string }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    transport.receiver = {
      message: (chunk) => chunks.push(Buffer.from(chunk)),
      drained() {},
      closed: (code, reason) => resolve({ bytes: Buffer.concat(chunks), code, reason }),
    };
  });
}

async function dialTo(url: URL): Promise<WebSocketTransport> {
  const connection = connect({ host: url.hostname, port: Number(url.port) });
  const { signal } = new AbortController();
  return dialWebSocket({ url, protocol: SUBPROTOCOL, headers: {}, timeoutMs: LIMIT_MS, signal, connection });
}

test('the relay understands another implementation, masks and all, and is understood', async (t) => {
  const acceptor = new WebSocketAcceptor(SUBPROTOCOL);
  const accepted = Promise.withResolvers<WebSocketTransport>();
  const url = await serve(t, (request, socket, head) => acceptor.accept(request, socket, head, accepted.resolve));
  const peer = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: true });
  const opened = once(peer, 'open');
  const relay = await accepted.promise;
  await opened;
  peer.send('first a text');
  assert.equal(await relay.receiveText(LIMIT_MS), 'first a text');
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];
  const sent = sizes.map((size) => randomBytes(size));
  const got = received(relay);
  for (const bytes of sent) peer.send(bytes);
  peer.ping('still there?');
  const [pong] = (await once(peer, 'pong')) as [Buffer];
  assert.equal(pong.toString(), 'still there?');
  const answers: Buffer[] = [];
  peer.on('message', (data: Buffer, isBinary) => {
    assert.ok(isBinary);
    answers.push(data);
  });
  relay.send(sent);
  const closed = once(peer, 'close');
  relay.close(4006, 'The agent was revoked.');
  const [code, reason] = (await closed) as [number, Buffer];
  assert.deepEqual([code, reason.toString()], [4006, 'The agent was revoked.']);
  assert.ok(Buffer.concat(answers).equals(Buffer.concat(sent)));
  assert.ok((await got).bytes.equals(Buffer.concat(sent)));
});

test('a dialler understands another implementation, and is understood', async (t) => {
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });
  const accepted = Promise.withResolvers<WebSocket>();
  const url = await serve(t, (request, socket, head) => {
    assert.equal(request.url, '/tunnel?x=1');
    server.handleUpgrade(request, socket, head, (peer) => {
      peer.send('at once');
      accepted.resolve(peer);
    });
  });
  const dialler = await dialTo(url);
  assert.equal(await dialler.receiveText(LIMIT_MS), 'at once');
  const peer = await accepted.promise;
  const sent = [0, 125, 126, 65_536, 1_000_000].map((size) => randomBytes(size));
  const got = received(dialler);
  const arrived: Buffer[] = [];
  peer.on('message', (data: Buffer) => {
    arrived.push(data);
    if (Buffer.concat(arrived).length === Buffer.concat(sent).length) {
      for (const bytes of sent) peer.send(bytes);
      peer.close(4007, 'Newer ones came.');
    }
  });
  const taken = Promise.withResolvers<Error | null | undefined>();
  dialler.send(sent, taken.resolve);
  assert.ok(!(await taken.promise));
  const { bytes, code, reason } = await got;
  assert.deepEqual([code, reason], [4007, 'Newer ones came.']);
  assert.ok(bytes.equals(Buffer.concat(sent)));
  assert.ok(Buffer.concat(arrived).equals(Buffer.concat(sent)));
  const late = Promise.withResolvers<Error | null | undefined>();
  dialler.send([Buffer.from('too late')], late.resolve);
  assert.ok(await late.promise, 'what was not taken is not said to be');
});

test('a connection that is cut ends the transport with 1006, and what waits is not said to be taken', async (t) => {
  const acceptor = new WebSocketAcceptor(SUBPROTOCOL);
  const accepted = Promise.withResolvers<WebSocketTransport>();
  const url = await serve(t, (request, socket, head) => acceptor.accept(request, socket, head, accepted.resolve));
  const peer = new WebSocket(url, SUBPROTOCOL);
  await once(peer, 'open');
  peer.pause();
  const relay = await accepted.promise;
  const closed = received(relay);
  const outcome = Promise.withResolvers<Error | null | undefined>();
  relay.send([Buffer.alloc(1000), Buffer.alloc(32 * 1024 * 1024)], outcome.resolve);
  peer.terminate();
  assert.ok(await outcome.promise);
  assert.equal((await closed).code, 1006);
});

test('an answer that is no WebSocket of ours is refused', async (t) => {
  const wrong = (answer: string) =>
    serve(t, (_request, socket) => socket.end(`HTTP/1.1 101 X\r\nConnection: Upgrade\r\n${answer}\r\n\r\n`));
  for (const answer of ['Upgrade: other', 'Upgrade: websocket\r\nSec-WebSocket-Accept: AAAA'])
    await assert.rejects(dialTo(await wrong(answer)), /Invalid/);
});

test('a message above the limit closes the connection with 1009', async (t) => {
  const acceptor = new WebSocketAcceptor(SUBPROTOCOL);
  const url = await serve(t, (request, socket, head) =>
    acceptor.accept(request, socket, head, (relay) => void received(relay)),
  );
  const peer = new WebSocket(url, SUBPROTOCOL);
  await once(peer, 'open');
  peer.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
  const [code] = (await once(peer, 'close')) as [number];
  assert.equal(code, 1009);
});
