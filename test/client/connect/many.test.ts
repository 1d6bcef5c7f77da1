import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { serve } from '../../../src/client/connect/serve.ts';
import { ClientTunnel } from '../../../src/client/tunnel/client-tunnel.ts';
import { StandInRelay } from '../tunnel/stand-in.ts';

const CONNECTIONS = 300;

test(`${CONNECTIONS} local connections at once, some cut at random: each is exact, or an error`, async (t) => {
  const relay = await StandInRelay.start(t);
  relay.serve = (stream) => {
    stream.on('error', () => {});
    stream.pipe(stream);
    // Every tenth breaks at the other end, wherever it is by then.
    if (relay.headers.length % 10 === 0) setTimeout(() => stream.destroy(), randomInt(0, 30));
  };
  using tunnel = new ClientTunnel({ credential: () => relay.credential() });
  await using listener = await serve(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    { to: { resource: 'db' }, opener: tunnel, signal: t.signal, failed: () => {} },
  );
  const results = await Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => exchange(listener.port ?? 0, at)));
  const exact = results.filter((result) => result === 'exact').length;
  assert.ok(!results.includes('wrong'), `${results.filter((result) => result === 'wrong').length} were wrong`);
  assert.ok(exact >= CONNECTIONS * 0.6, `${exact} were exact`);
  assert.equal(relay.tunnels.length, 1);
});

/** Sends random bytes and compares what comes back up to its end. */
function exchange(port: number, at: number): Promise<'exact' | 'error' | 'wrong'> {
  const sent = randomBytes(randomInt(1, 200_000));
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const hash = createHash('sha256');
    socket.on('data', (chunk) => hash.update(chunk));
    socket.on('end', () => resolve(hash.digest('hex') === hashOf(sent) ? 'exact' : 'wrong'));
    socket.on('error', () => resolve('error')).on('close', () => resolve('error'));
    socket.end(sent);
    // Others are given up here.
    if (at % 10 === 5) setTimeout(() => socket.destroy(), randomInt(0, 30));
  });
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
