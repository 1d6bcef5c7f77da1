import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { collectForeign, ForeignPeer, pieces } from './foreign-yamux.ts';
import { closing, collect } from './pair.ts';

const SIDES = ['dialler', 'relay'] as const;
/** Beyond what windows of 256 KiB hold several times over, so credit must flow; not a multiple of anything. */
const BYTES = 3_000_017;

function pairWith(t: TestContext, side: (typeof SIDES)[number], cut: number) {
  const peer = new ForeignPeer(side === 'relay', cut);
  const accepted: TunnelStream[] = [];
  let waiting: ((stream: TunnelStream) => void) | undefined;
  const tunnel = new Tunnel(peer.transport, {
    side,
    heartbeatMs: 60_000,
    accept: (stream) => {
      if (waiting) waiting(stream);
      else accepted.push(stream);
      return true;
    },
  });
  t.after(() => tunnel.close('normal', ''));
  const nextAccepted = () => {
    const first = accepted.shift();
    return first ? Promise.resolve(first) : new Promise<TunnelStream>((resolve) => (waiting = resolve));
  };
  return { tunnel, peer, nextAccepted };
}

for (const side of SIDES) {
  for (const cut of [65_536, 1009, 41]) {
    test(`as ${side}, in pieces of ${cut}: many bytes both ways at once on a stream that we open`, async (t) => {
      const { tunnel, peer } = pairWith(t, side, cut);
      const bytes = cut < 100 ? 300_017 : BYTES;
      const [up, down] = [randomBytes(bytes), randomBytes(bytes)];
      const stream = tunnel.open();
      const received = collect(stream);
      stream.end(up);
      const theirs = await peer.accepted();
      const [got] = await Promise.all([collectForeign(theirs), theirs.sink(pieces(down, 40_000))]);
      assert.ok(got.equals(up));
      assert.ok((await received).equals(down));
      assert.equal(tunnel.end, undefined);
    });
  }

  test(`as ${side}: many bytes both ways at once on a stream that the other opens`, async (t) => {
    const { tunnel, peer, nextAccepted } = pairWith(t, side, 16_384);
    const [up, down] = [randomBytes(BYTES), randomBytes(BYTES)];
    const theirs = peer.open();
    const ours = await nextAccepted();
    const received = collect(ours);
    ours.end(down);
    const [got] = await Promise.all([collectForeign(theirs), theirs.sink(pieces(up, 10_000))]);
    assert.ok(got.equals(down));
    assert.ok((await received).equals(up));
    assert.equal(tunnel.streamCount, 0);
  });

  test(`as ${side}: half-close, either way around`, async (t) => {
    const { tunnel, peer, nextAccepted } = pairWith(t, side, 1000);
    const ours = tunnel.open();
    ours.end('question');
    const answer = collect(ours);
    const theirs = await peer.accepted();
    assert.equal((await collectForeign(theirs)).toString(), 'question');
    await theirs.sink(pieces(Buffer.from('late answer'), 3));
    assert.equal((await answer).toString(), 'late answer');

    const second = peer.open();
    const accepted = await nextAccepted();
    const asked = collect(accepted);
    await second.sink(pieces(Buffer.from('another question'), 5));
    assert.equal((await asked).toString(), 'another question');
    accepted.end('another answer');
    assert.equal((await collectForeign(second)).toString(), 'another answer');
  });

  test(`as ${side}: a reset ends one stream at both ends and no other`, async (t) => {
    const { tunnel, peer, nextAccepted } = pairWith(t, side, 1000);
    const doomed = tunnel.open();
    doomed.resume();
    doomed.write('x');
    const theirs = await peer.accepted();
    const closed = closing(doomed);
    theirs.abort(new Error('enough'));
    assert.equal((await closed)?.code, 'ECONNRESET');

    const other = peer.open();
    const ours = await nextAccepted();
    ours.destroy();
    await assert.rejects(collectForeign(other));

    const alive = peer.open();
    const echo = await nextAccepted();
    echo.pipe(echo);
    const [got] = await Promise.all([collectForeign(alive), alive.sink(pieces(Buffer.from('still here'), 4))]);
    assert.equal(got.toString(), 'still here');
    assert.equal(tunnel.end, undefined);
  });

  test(`as ${side}: pings are answered both ways, and a go-away is understood`, async (t) => {
    const { tunnel, peer } = pairWith(t, side, 7);
    assert.ok((await peer.ping()) >= 0);
    while (tunnel.roundTripMs === 0) await new Promise((resolve) => setImmediate(resolve));
    const theirs = peer.open();
    tunnel.close('relay_stopping', 'The relay is stopping.');
    await assert.rejects(collectForeign(theirs));
    assert.throws(() => peer.open());
  });
}
