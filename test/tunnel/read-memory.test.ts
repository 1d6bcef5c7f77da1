import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { copy } from '../../src/tunnel/copy.ts';
import { connectReusing, release, reuseReadsOf } from '../../src/tunnel/read-memory.ts';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import type { MessageTransport, TransportReceiver } from '../../src/tunnel/transport.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { WebSocketTransport } from '../../src/tunnel/websocket-transport.ts';

/** Says which byte of which stream it is: what belongs elsewhere cannot pass for it. */
function marked(stream: number, bytes: number): Buffer {
  const all = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) all.writeUInt32LE(((stream << 24) | (at >> 2)) >>> 0, at);
  return all;
}

/** Where `got` is not the beginning of `whole`; -1 when it is. */
function firstDifference(got: Buffer, whole: Buffer): number {
  if (whole.subarray(0, got.length).equals(got)) return -1;
  return got.findIndex((byte, at) => byte !== whole[at]);
}

async function listen(stack: AsyncDisposableStack, serve: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    for (const socket of open) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** Target → agent → relay → client, all reads and writes on real sockets: each stream downloads its own bytes. */
async function world(stack: AsyncDisposableStack, bytesOf: (stream: number) => Buffer) {
  let next = 0;
  const targetPort = await listen(stack, (socket) => {
    const stream = next;
    next += 1;
    socket.end(bytesOf(stream));
    socket.resume();
  });
  const tunnels: Tunnel[] = [];
  const accepted = Promise.withResolvers<Tunnel>();
  const relayPort = await listen(stack, (socket) => {
    const connection = reuseReadsOf(socket);
    assert.notEqual(connection, socket, 'the reads of accepted sockets are reused');
    const transport = new WebSocketTransport(connection, 'relay', Buffer.alloc(0));
    accepted.resolve(new Tunnel(transport, { side: 'relay', heartbeatMs: 60_000 }));
  });
  const dialled = connectReusing({ host: '127.0.0.1', port: relayPort });
  await once(dialled, 'connect');
  const agent = new Tunnel(new WebSocketTransport(dialled, 'dialler', Buffer.alloc(0)), {
    side: 'dialler',
    heartbeatMs: 60_000,
    accept: (stream) => {
      const target = connectReusing({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true });
      copy(stream, target);
      return true;
    },
  });
  const relay = await accepted.promise;
  tunnels.push(agent, relay);
  stack.defer(() => {
    for (const tunnel of tunnels) tunnel.close('normal', '');
  });
  return { relay, agent, dialled };
}

/** Reads as `pace` says: so many bytes, then a pause of a turn. Stops after `limit` bytes with a reset. */
async function read(stream: TunnelStream, pace: number, limit: number): Promise<Buffer> {
  const got: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      got.push(Buffer.from(chunk));
      release(chunk);
      bytes += chunk.length;
      if (bytes >= limit) break;
      if (pace > 0 && got.length % pace === 0) await turn();
    }
  } catch {
    // An error in place of the rest.
  }
  stream.destroy();
  return Buffer.concat(got);
}

/** A network that takes its time: what it was handed it looks at turns later, and says then that it has taken it. */
class SlowTransport implements MessageTransport {
  receiver: TransportReceiver | undefined;
  other: SlowTransport | undefined;
  waitingBytes = 0;
  #last: Promise<void> = Promise.resolve();

  send(pieces: readonly Buffer[], taken?: (error?: Error | null) => void): void {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    this.waitingBytes += bytes;
    this.#last = this.#last.then(async () => {
      for (let turns = 0; turns < 20; turns += 1) await turn();
      for (const piece of pieces) this.other?.receiver?.message(Buffer.from(piece));
      this.waitingBytes -= bytes;
      taken?.();
      this.receiver?.drained();
    });
  }

  close(code: number, reason: string): void {
    void this.#last.then(() => this.other?.receiver?.closed(code, reason));
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const MB = 1024 * 1024;
const plan = fc.array(
  fc.record({
    bytes: fc.integer({ min: 1, max: 4 * MB }),
    /** Chunks between pauses; 0: as fast as it comes. */
    pace: fc.integer({ min: 0, max: 3 }),
    /** Share of the bytes after which the reader resets the stream; most read all. */
    stopAt: fc.constantFrom(2, 2, 2, 0.1, 0.5, 0.9),
  }),
  { minLength: 1, maxLength: 8 },
);

test('slow readers, fast ones and resets in mid-flight: each stream gets its own bytes, exact, and reads reuse memory', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (streams) => {
      await using stack = new AsyncDisposableStack();
      const bodies = streams.map(({ bytes }, at) => marked(at, bytes));
      const order: number[] = [];
      const { relay } = await world(stack, (connection) => bodies[order[connection] ?? -1] ?? Buffer.alloc(0));
      await Promise.all(
        streams.map(async ({ bytes, pace, stopAt }, at) => {
          // The target knows connections by the order in which they come: one at a time begins.
          order.push(at);
          const stream = relay.open();
          stream.write('?');
          const got = await read(stream, pace, bytes * stopAt);
          // The order of connecting is not promised: it is some stream's beginning, and of no two.
          const fits = bodies.filter((body) => firstDifference(got, body) === -1);
          assert.ok(fits.length > 0, `stream ${at}: ${got.length} bytes that are nobody's`);
          if (stopAt > 1) assert.ok(fits.some((body) => body.length === got.length));
        }),
      );
    }),
    { numRuns: 25 },
  );
});

test('a slow network: memory is not used again before it has taken it, whatever resets meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (streams) => {
      await using stack = new AsyncDisposableStack();
      const whole = marked(1, 4 * MB);
      const port = await listen(stack, (socket) => socket.end(whole));
      const [here, there] = [new SlowTransport(), new SlowTransport()];
      [here.other, there.other] = [there, here];
      const relay = new Tunnel(here, { side: 'relay', heartbeatMs: 60_000 });
      const agent = new Tunnel(there, {
        side: 'dialler',
        heartbeatMs: 60_000,
        accept: (stream) => {
          copy(stream, connectReusing({ host: '127.0.0.1', port, allowHalfOpen: true }));
          return true;
        },
      });
      await Promise.all(
        streams.map(async ({ pace, stopAt }, at) => {
          const got = await read(
            relay.open().on('error', () => {}),
            pace,
            whole.length * stopAt,
          );
          assert.equal(firstDifference(got, whole), -1, `stream ${at}`);
          if (stopAt > 1) assert.equal(got.length, whole.length);
        }),
      );
      relay.close('normal', '');
      agent.close('normal', '');
    }),
    { numRuns: 8 },
  );
});

test('the tunnel is cut in mid-flight: what came is exact, and the end is an error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 * MB }), async (cutAfter) => {
      await using stack = new AsyncDisposableStack();
      const whole = marked(1, 8 * MB);
      const { relay, dialled } = await world(stack, () => whole);
      const got = await Promise.all(
        [0, 1, 2].map(async () => {
          const stream = relay.open();
          stream.write('?');
          const chunks: Buffer[] = [];
          const failed = new Promise<boolean>((resolve) => {
            stream.on('close', () => resolve(!stream.readableEnded));
          });
          stream.on('data', (chunk: Buffer) => {
            chunks.push(Buffer.from(chunk));
            release(chunk);
            if (dialled.bytesWritten > cutAfter) dialled.destroy();
          });
          assert.ok(await failed, 'a broken stream does not end in order');
          return Buffer.concat(chunks);
        }),
      );
      for (const bytes of got) assert.equal(firstDifference(bytes, whole), -1);
    }),
    { numRuns: 10 },
  );
});

test('what nobody released is never read into again', async () => {
  await using stack = new AsyncDisposableStack();
  const sent = randomBytes(6 * MB);
  const port = await listen(stack, (socket) => socket.end(sent));
  const kept: Buffer[] = [];
  for (let round = 0; round < 2; round += 1) {
    const socket = connectReusing({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    assert.ok(Buffer.concat(chunks).equals(sent));
    kept.push(...chunks);
  }
  assert.ok(Buffer.concat(kept).equals(Buffer.concat([sent, sent])));
});

test('released memory is read into again', async () => {
  await using stack = new AsyncDisposableStack();
  const sent = randomBytes(32 * MB);
  const port = await listen(stack, (socket) => socket.end(sent));
  const memories = new Set<ArrayBufferLike>();
  let large = 0;
  const socket = connectReusing({ host: '127.0.0.1', port });
  socket.on('data', (chunk: Buffer) => {
    if (chunk.length >= 128 * 1024) {
      large += 1;
      memories.add(chunk.buffer);
    }
    release(chunk);
  });
  await once(socket, 'close');
  // The first read of a burst is copied; besides, there is one slab in use and one next.
  assert.ok(large > 0);
  assert.ok(memories.size <= large / 2 + 40, `${memories.size} buffers for ${large} large reads`);
});

test('a connection that is no plain socket stays as it is', () => {
  const other = new Duplex({ read() {}, write() {} });
  assert.equal(reuseReadsOf(other), other);
});
