import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { Flag, FrameDecoder, FrameType, HEADER_BYTES, writeHeader } from '../../src/tunnel/frame.ts';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import { MAX_STREAMS, Tunnel } from '../../src/tunnel/tunnel.ts';
import { INITIAL_WINDOW_BYTES } from '../../src/tunnel/window.ts';
import { closing, collect, PipeEnd, tunnelPair } from './pair.ts';

function frame(type: number, flags: number, id: number, length: number, payload = 0): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload);
  writeHeader(bytes, 0, type, flags, id, length);
  return bytes;
}

/** A relay's tunnel whose peer is whatever the test sends. */
function begin(accept: (stream: TunnelStream) => boolean = () => true) {
  const end = new PipeEnd();
  const tunnel = new Tunnel(end, { side: 'relay', heartbeatMs: 60_000, accept });
  return { tunnel, end, receive: (...frames: Buffer[]) => tunnel && end.receiver?.message(Buffer.concat(frames)) };
}

function endCode(tunnel: Tunnel): string | undefined {
  return tunnel.end?.code;
}

const { data, windowUpdate, ping, goAway } = FrameType;
const { syn, ack, fin, rst } = Flag;

const violations: Record<string, Buffer[]> = {
  'an unknown version': [Buffer.from('010000010000000100000000', 'hex')],
  'an unknown type': [frame(7, 0, 0, 0)],
  'unknown flags': [Buffer.from('000001010000000100000000', 'hex')],
  'a stream of the wrong parity': [frame(windowUpdate, syn, 2, 0)],
  'stream 0': [frame(data, syn, 0, 0)],
  'data for a stream that was never opened': [frame(data, 0, 7, 4, 4)],
  'data for a stream that we never opened': [frame(data, 0, 8, 4, 4)],
  'a used id': [frame(windowUpdate, syn, 5, 0), frame(windowUpdate, syn, 5, 0)],
  'an id that went back': [frame(windowUpdate, syn, 5, 0), frame(windowUpdate, syn, 3, 0)],
  'an id used after its reset': [
    frame(windowUpdate, syn, 5, 0),
    frame(windowUpdate, rst, 5, 0),
    frame(windowUpdate, syn, 5, 0),
  ],
  'an opening longer than the window': [frame(data, syn, 1, INITIAL_WINDOW_BYTES + 1)],
  'a length of 0xffffffff': [frame(data, syn, 1, 0xffffffff)],
  'data beyond the window': [frame(windowUpdate, syn, 1, 0), frame(data, 0, 1, INITIAL_WINDOW_BYTES + 1)],
  'a window that overflows': [frame(windowUpdate, syn, 1, 0xffffffff)],
  'a window that overflows later': [frame(windowUpdate, syn, 1, 0x7fffffff), frame(windowUpdate, 0, 1, 0x80000000)],
  'data after the end': [frame(data, syn | fin, 1, 1, 1), frame(data, 0, 1, 1, 1)],
  'a ping on a stream': [frame(ping, syn, 1, 0)],
  'a ping without flags': [frame(ping, 0, 0, 0)],
  'a go-away on a stream': [frame(goAway, 0, 1, 0)],
};

for (const [what, frames] of Object.entries(violations)) {
  test(`${what} closes the tunnel with protocol_violation, and only that tunnel`, async () => {
    const other = tunnelPair((stream) => stream.pipe(stream) !== undefined);
    const { tunnel, end, receive } = begin();
    receive(...frames);
    assert.equal(tunnel.end?.code, 'protocol_violation');
    assert.equal(tunnel.end.by, 'us');
    assert.equal(end.closedWith?.code, 1002);
    const goodbye = Buffer.concat(end.sent).subarray(-HEADER_BYTES);
    assert.equal(goodbye.toString('hex'), '000300000000000000000001');
    receive(frame(data, syn, 99, 0));
    assert.equal(tunnel.streamCount, 0);
    const stream = other.relay.open();
    stream.end('fine');
    assert.equal((await collect(stream)).toString(), 'fine');
    other.relay.close('normal', '');
  });
}

test('allowed twins: the full window in the opening, credit up to the last bit, frames for a reset stream', () => {
  const { tunnel, receive } = begin();
  receive(frame(data, syn, 1, INITIAL_WINDOW_BYTES, INITIAL_WINDOW_BYTES));
  receive(frame(windowUpdate, syn, 3, 0xffffffff - INITIAL_WINDOW_BYTES));
  receive(frame(windowUpdate, syn, 5, 0), frame(windowUpdate, rst, 5, 0), frame(data, 0, 5, 3, 3));
  receive(frame(ping, ack, 0, 12345), frame(windowUpdate, ack, 1, 0), frame(goAway, 0, 0, 0));
  assert.equal(tunnel.end, undefined);
  assert.equal(tunnel.streamCount, 2);
  tunnel.close('normal', '');
});

test('a flood of openings: the streams after the last are reset, then the tunnel closes', () => {
  const { tunnel, receive } = begin();
  let id = 1;
  const flood = (count: number) => {
    for (let n = 0; n < count; n += 1, id += 2) receive(frame(windowUpdate, syn, id, 0));
  };
  flood(MAX_STREAMS + 100);
  assert.equal(tunnel.streamCount, MAX_STREAMS);
  assert.equal(tunnel.end, undefined);
  flood(2000);
  assert.equal(endCode(tunnel), 'protocol_violation');
});

test('a flood of pings while nothing drains closes the tunnel before memory grows', () => {
  const { tunnel, end, receive } = begin();
  end.waitingBytes = 2 ** 30;
  const pings = Buffer.concat(Array.from({ length: 10_000 }, (_, n) => frame(ping, syn, 0, n)));
  receive(pings);
  assert.equal(tunnel.end?.code, 'protocol_violation');
});

test('single bytes that nobody reads cost about their number', async () => {
  const { tunnel, receive } = begin();
  receive(frame(windowUpdate, syn, 1, 0));
  const one = frame(data, 0, 1, 1, 1);
  for (let n = 0; n < INITIAL_WINDOW_BYTES; n += 1) receive(one);
  assert.equal(tunnel.end, undefined);
  receive(one);
  assert.equal(endCode(tunnel), 'protocol_violation');
});

test('a peer that goes away with an error ends the tunnel', () => {
  const { tunnel, receive } = begin();
  receive(frame(goAway, 0, 0, 2));
  assert.deepEqual({ code: tunnel.end?.code, by: tunnel.end?.by }, { code: 'internal_error', by: 'peer' });
});

test('two heartbeats without an answer close the tunnel; with answers it lives', async () => {
  const alive = setInterval(() => {}, 1000);
  const silent = new Tunnel(new PipeEnd(), { side: 'relay', heartbeatMs: 5 });
  await once(silent.ended, 'abort');
  assert.equal(silent.end?.code, 'heartbeat_missed');
  const end = new PipeEnd();
  let answered = 0;
  const answering = new Tunnel(end, { side: 'relay', heartbeatMs: 5 });
  end.other = new PipeEnd();
  const enough = new Promise<void>((resolve) => {
    const decoder = new FrameDecoder({
      frame: (_version, type, flags, _id, length) => {
        if (type === ping && flags === syn) {
          end.receiver?.message(frame(ping, ack, 0, length));
          answered += 1;
          if (answered === 6) resolve();
        }
        return true;
      },
      payload: () => true,
    });
    if (end.other) {
      end.other.receiver = {
        message: (message) => decoder.decode(message),
        drained: () => {},
        closed: () => {},
      };
    }
  });
  await enough;
  assert.equal(answering.end, undefined);
  answering.close('normal', '');
  clearInterval(alive);
});

test('property: random bytes never throw, and never hurt more than their tunnel', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 30 }), async (messages) => {
      const { tunnel, end } = begin();
      const mine = tunnel.open();
      for (const message of messages) end.receiver?.message(Buffer.from(message));
      tunnel.close('normal', '');
      await closing(mine);
      assert.equal(tunnel.streamCount, 0);
    }),
  );
});
