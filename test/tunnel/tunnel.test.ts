import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import { MAX_STREAMS } from '../../src/tunnel/tunnel.ts';
import { INITIAL_WINDOW_BYTES } from '../../src/tunnel/window.ts';
import { closing, collect, tunnelPair } from './pair.ts';

/** Answers each stream with what it sent. */
function echo(stream: TunnelStream): boolean {
  stream.pipe(stream);
  return true;
}

test('what goes in on one end comes out on the other, in both directions', async () => {
  const { relay } = tunnelPair(echo);
  const stream = relay.open();
  const sent = randomBytes(3_000_000);
  stream.end(sent);
  assert.ok(sent.equals(await collect(stream)));
  relay.close('normal', '');
});

test('property: streams in any interleaving, in messages cut anywhere, arrive byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 5000 }),
      async (streams, cut) => {
        const recut = (message: Buffer): Buffer[] => {
          const pieces: Buffer[] = [];
          for (let at = 0; at < message.length; at += cut) pieces.push(message.subarray(at, at + cut));
          return pieces;
        };
        const { relay } = tunnelPair(echo, recut);
        await Promise.all(
          streams.map(async (sizes) => {
            const stream = relay.open();
            const expected = createHash('sha256');
            const received = collect(stream);
            for (const size of sizes) {
              const chunk = randomBytes(size);
              expected.update(chunk);
              if (!stream.write(chunk)) await once(stream, 'drain');
            }
            stream.end();
            assert.equal(
              createHash('sha256')
                .update(await received)
                .digest('hex'),
              expected.digest('hex'),
            );
          }),
        );
        assert.equal(relay.streamCount, 0);
        relay.close('normal', '');
      },
    ),
    { numRuns: 25 },
  );
});

test('a reader that does not read stalls its own stream and no other', async () => {
  const accepted: TunnelStream[] = [];
  const { relay } = tunnelPair((stream) => {
    accepted.push(stream);
    if (accepted.length > 1) stream.pipe(stream);
    return true;
  });
  const slow = relay.open();
  const chunk = Buffer.alloc(64 * 1024, 1);
  let handedOver = 0;
  const fill = () => {
    while (slow.writable && slow.write(chunk, () => (handedOver += chunk.length)));
  };
  slow.on('drain', fill);
  fill();
  const quick = relay.open();
  const sent = randomBytes(2_000_000);
  quick.end(sent);
  assert.ok(sent.equals(await collect(quick)));
  assert.ok(handedOver <= INITIAL_WINDOW_BYTES + 2 * chunk.length, `handed over ${handedOver}`);
  relay.close('normal', '');
});

test('half-close: one direction ends, the other goes on', async () => {
  let accepted: TunnelStream | undefined;
  const { relay } = tunnelPair((stream) => {
    accepted = stream;
    return true;
  });
  const stream = relay.open();
  stream.end('question');
  const closed = closing(stream);
  await new Promise((resolve) => setImmediate(resolve));
  while (!accepted) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await collect(accepted)).toString(), 'question');
  assert.equal(stream.destroyed, false);
  accepted.end('late answer');
  assert.equal((await collect(stream)).toString(), 'late answer');
  assert.equal(await closed, null);
  assert.equal(relay.streamCount, 0);
  relay.close('normal', '');
});

test('destroying a stream resets it at the peer; the tunnel and its other streams live on', async () => {
  const accepted: TunnelStream[] = [];
  const { relay, agent } = tunnelPair((stream) => {
    accepted.push(stream);
    stream.pipe(stream);
    return true;
  });
  const doomed = relay.open();
  const other = relay.open();
  doomed.write('x');
  other.write('y');
  await once(doomed, 'data');
  const peer = accepted[0];
  assert.ok(peer);
  const closed = closing(peer);
  doomed.destroy();
  assert.equal((await closed)?.code, 'ECONNRESET');
  other.end('z');
  assert.equal((await collect(other)).toString(), 'yz');
  assert.equal(agent.end, undefined);
  relay.close('normal', '');
});

test('closing the tunnel ends every stream with tunnel_closed and tells the peer why', async () => {
  const { relay, agent } = tunnelPair(echo);
  const stream = relay.open();
  stream.write('x');
  await once(stream, 'data');
  const peerEnded = once(agent.ended, 'abort');
  relay.close('agent_revoked', 'The agent was revoked.');
  assert.equal((stream.errored as unknown as { code: string }).code, 'tunnel_closed');
  assert.ok(relay.ended.aborted);
  await peerEnded;
  assert.deepEqual(agent.end, { code: 'agent_revoked', reason: 'The agent was revoked.', by: 'peer' });
  assert.throws(() => relay.open(), { code: 'tunnel_closed' });
});

test('the stream after the last one cannot be opened', async () => {
  const { relay, agent } = tunnelPair(() => true);
  for (let n = 0; n < MAX_STREAMS; n += 1) relay.open();
  assert.throws(() => relay.open(), { code: 'limit_reached' });
  while (agent.streamCount < MAX_STREAMS) await new Promise((resolve) => setImmediate(resolve));
  relay.close('normal', '');
});
