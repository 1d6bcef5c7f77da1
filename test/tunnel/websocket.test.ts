import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { WebSocket, WebSocketServer } from 'ws';
import { dialWebSocket } from '../../src/tunnel/dial-websocket.ts';
import { MAX_MESSAGE_BYTES, WebSocketDecoder } from '../../src/tunnel/websocket-decoder.ts';
import { encodeFrameHeader, Opcode } from '../../src/tunnel/websocket-frame.ts';
import { WebSocketTransport } from '../../src/tunnel/websocket-transport.ts';
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

test('a connection that is cut ends the transport with 1006, and what waits is not said to be taken', async () => {
  // Takes one write, and as a socket does, gives up on it when it is destroyed.
  let writing: ((error?: Error | null) => void) | undefined;
  const wire = new Duplex({
    read() {},
    write: (_chunk, _encoding, written) => {
      writing = written;
    },
    destroy: (error, destroyed) => {
      writing?.(error);
      destroyed(error);
    },
  });
  const relay = new WebSocketTransport(wire, 'relay', Buffer.alloc(0));
  const closed = received(relay);
  const outcome = Promise.withResolvers<Error | null | undefined>();
  relay.send([Buffer.alloc(1000), Buffer.alloc(100_000)], outcome.resolve);
  wire.destroy(new Error('cut'));
  assert.ok(await outcome.promise);
  assert.equal((await closed).code, 1006);
});

test('an answer that is no WebSocket of ours is refused', async (t) => {
  const wrong = (answer: string) =>
    serve(t, (_request, socket) => socket.end(`HTTP/1.1 101 X\r\nConnection: Upgrade\r\n${answer}\r\n\r\n`));
  for (const answer of ['Upgrade: other', 'Upgrade: websocket\r\nSec-WebSocket-Accept: AAAA'])
    await assert.rejects(dialTo(await wrong(answer)), /Invalid/);
});

/** Frames as any peer may send them. */
const frames = fc.array(
  fc.record({
    parts: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
    ping: fc.option(fc.uint8Array({ maxLength: 125 }), { nil: undefined }),
    text: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('whatever the cut, the fragments and the masks: the same bytes, texts and pings', () => {
  fc.assert(
    fc.property(frames, fc.boolean(), fc.array(fc.integer({ min: 1, max: 50 })), (messages, masked, cuts) => {
      const wire: Buffer[] = [];
      const expected = { data: Buffer.alloc(0), texts: [] as string[], pings: [] as string[] };
      const add = (opcode: number, final: boolean, payload: Buffer) => {
        const header = encodeFrameHeader(opcode, payload.length, masked);
        if (!final) header[0] = opcode;
        if (!masked) return void wire.push(header, payload);
        const mask = randomBytes(4);
        mask.copy(header, header.length - 4);
        wire.push(header, Buffer.from(payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))));
      };
      for (const { parts, ping, text } of messages) {
        const payloads = parts.map((part) =>
          text ? Buffer.from(Buffer.from(part).toString('hex')) : Buffer.from(part),
        );
        payloads.forEach((payload, at) => {
          const opcode = at > 0 ? Opcode.continuation : text ? Opcode.text : Opcode.binary;
          add(opcode, at === payloads.length - 1, payload);
          if (at === 0 && ping) {
            add(Opcode.ping, true, Buffer.from(ping));
            expected.pings.push(Buffer.from(ping).toString('hex'));
          }
        });
        if (text) expected.texts.push(Buffer.concat(payloads).toString());
        else expected.data = Buffer.concat([expected.data, ...payloads]);
      }
      const found = { data: [] as Buffer[], texts: [] as string[], pings: [] as string[] };
      const decoder = new WebSocketDecoder(
        {
          data: (chunk) => found.data.push(Buffer.from(chunk)),
          text: (text) => found.texts.push(text),
          control: (_opcode, payload) => found.pings.push(payload.toString('hex')),
          violated: (code, what) => assert.fail(`${code} ${what}`),
        },
        masked,
      );
      const bytes = Buffer.concat(wire);
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const end = at + (cuts[turn % cuts.length] ?? bytes.length);
        decoder.decode(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
      assert.deepEqual({ ...found, data: Buffer.concat(found.data) }, expected);
    }),
  );
});

test('what breaks the protocol is answered with its code, and nothing after it is read', () => {
  const header = (first: number, second: number, ...rest: number[]) => Buffer.from([first, second, ...rest]);
  const long = encodeFrameHeader(Opcode.binary, MAX_MESSAGE_BYTES + 1, false);
  const cases: readonly [string, number, Buffer][] = [
    ['a reserved bit', 1002, header(0xc2, 0)],
    ['an unknown opcode', 1002, header(0x83, 0)],
    ['an unknown control opcode', 1002, header(0x8b, 0)],
    ['a mask from the relay', 1002, header(0x82, 0x80, 0, 0, 0, 0)],
    ['a cut ping', 1002, header(0x09, 0)],
    ['a long ping', 1002, header(0x89, 126, 0, 126)],
    ['a continuation of nothing', 1002, header(0x80, 0)],
    ['a message within a message', 1002, Buffer.concat([header(0x02, 0), header(0x82, 0)])],
    ['a long message', 1009, long],
    ['a longer one than numbers can say', 1009, header(0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255)],
    ['a text that is not UTF-8', 1007, Buffer.concat([header(0x81, 2), Buffer.from([0xc3, 0x28])])],
  ];
  for (const [what, code, bytes] of cases) {
    const codes: number[] = [];
    const fail = () => assert.fail(what);
    const decoder = new WebSocketDecoder(
      { data: fail, text: fail, control: fail, violated: (by) => codes.push(by) },
      false,
    );
    for (const byte of bytes) decoder.decode(Buffer.from([byte]));
    decoder.decode(Buffer.concat([header(0x82, 1), Buffer.from('x')]));
    assert.deepEqual(codes, [code], what);
  }
});
