import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { whyBroken } from '../../../src/client/tunnel/broken.ts';
import { DialledTunnel } from '../../../src/client/tunnel/dialled-tunnel.ts';
import { openStream } from '../../../src/client/tunnel/open-stream.ts';
import type { PosternError } from '../../../src/lib/errors.ts';
import { encodeJson } from '../../../src/tunnel/length-prefixed-json.ts';
import type { TunnelStream } from '../../../src/tunnel/stream.ts';
import { encodeAnswer, encodeHeader, receiveHeader } from '../../../src/tunnel/stream-header.ts';
import { Tunnel } from '../../../src/tunnel/tunnel.ts';
import { closing, pipe } from '../../tunnel/pair.ts';

const NEVER = new AbortController().signal;
const UNSAID = 'The connection broke off: the other end, or the relay, ended it.';

const NOTICE = { stream: 1, reason: 'policy_changed', message: 'you may no longer do this here', reference: 'r1' };

/** A command line's tunnel to a relay that is this test; each connection is accepted. */
class Pair implements Disposable {
  readonly client: DialledTunnel;
  readonly relay: Tunnel;
  /** The relay's ends of the connections. */
  readonly carried: TunnelStream[] = [];

  constructor() {
    const [relayEnd, clientEnd] = pipe();
    this.relay = new Tunnel(relayEnd, {
      side: 'relay',
      heartbeatMs: 60_000,
      accept: (stream) => {
        this.carried.push(stream);
        void receiveHeader(stream, 10_000).then(() => stream.resume().write(encodeAnswer({ ok: true })));
        return true;
      },
    });
    this.client = new DialledTunnel(clientEnd);
  }

  open(): Promise<TunnelStream> {
    return openStream(this.client, { resource: 'db' }, NEVER) as Promise<TunnelStream>;
  }

  /** A stream that the relay opens for notices, with what it says there first. */
  say(...messages: (object | Buffer)[]): TunnelStream {
    const stream = this.relay.open();
    stream.write(encodeHeader({ version: 1, kind: 'notice' }));
    for (const each of messages) stream.write(Buffer.isBuffer(each) ? each : encodeJson(each));
    return stream;
  }

  /** Cuts the last connection that was opened. */
  cut(): void {
    this.carried.at(-1)?.destroy();
  }

  [Symbol.dispose](): void {
    this.relay.close('normal', '');
  }
}

async function whyOf(stream: TunnelStream): Promise<PosternError> {
  return whyBroken(stream, await closing(stream));
}

describe('why the relay cut a connection', () => {
  test('is said whether it is told before the reset or after it', async () => {
    using pair = new Pair();
    const first = await pair.open();
    const notices = pair.say(NOTICE);
    pair.cut();
    const told = 'The connection broke off: you may no longer do this here. (reference r1)';
    const { code, message } = await whyOf(first);
    assert.deepEqual([code, message], ['forbidden', told]);

    const second = await pair.open();
    pair.cut();
    const why = whyOf(second);
    await closing(second);
    notices.write(encodeJson({ ...NOTICE, stream: second.streamId }));
    assert.equal((await why).message, told);
  });

  test('decides what helps, as for one that is refused; a reason of a later relay is as none', async () => {
    using pair = new Pair();
    const notices = pair.say();
    for (const [reason, code] of [
      ['policy_changed', 'forbidden'],
      ['access_terminated', 'forbidden'],
      ['session_expired', 'unauthenticated'],
      ['agent_revoked', 'target_unreachable'],
      ['authority_lost', 'relay_unreachable'],
      ['moon_is_full', 'target_unreachable'],
      ['constructor', 'target_unreachable'],
    ] as const) {
      const stream = await pair.open();
      notices.write(encodeJson({ ...NOTICE, stream: stream.streamId, reason }));
      pair.cut();
      const why = await whyOf(stream);
      assert.deepEqual([why.code, /you may no longer/.test(why.message)], [code, true], reason);
    }
  });

  test('steers no terminal', async () => {
    using pair = new Pair();
    const stream = await pair.open();
    pair.say({ ...NOTICE, message: '\u001b]0;owned\u0007\nnext', reference: '\u009b2J\u202e' });
    pair.cut();
    assert.doesNotMatch((await whyOf(stream)).message, /[\p{Cc}\u202e]/u);
  });

  test('of another connection is not said of this one', async () => {
    using pair = new Pair();
    const stream = await pair.open();
    pair.say({ ...NOTICE, stream: 2 }, { ...NOTICE, stream: 3 }, { ...NOTICE, stream: 4_000_000_001 });
    pair.cut();
    assert.equal((await whyOf(stream)).message, UNSAID);
  });
});

describe('a relay that means harm by what it says of connections', () => {
  const tooLong = Buffer.alloc(2, 0xff);
  const cases: readonly (readonly [string, object | Buffer])[] = [
    ['words too long', { ...NOTICE, message: 'x'.repeat(301) }],
    ['a reference too long', { ...NOTICE, reference: 'x'.repeat(65) }],
    ['a reason that is none', { ...NOTICE, reason: 'Because I say so' }],
    ['no stream', { ...NOTICE, stream: 0 }],
    ['no notice', ['nothing']],
    ['no JSON', Buffer.from('\u0000\u0004oops')],
  ];
  for (const [what, message] of cases) {
    test(`is not listened to any more: ${what}`, async () => {
      using pair = new Pair();
      const stream = await pair.open();
      const notices = pair.say(message, NOTICE);
      await closing(notices);
      await goesOn(pair, stream);
    });
  }

  test('has one stream for it, and none for anything else', async () => {
    using pair = new Pair();
    const stream = await pair.open();
    pair.say();
    await closing(pair.say(NOTICE));
    const other = pair.relay.open();
    other.write(encodeHeader({ version: 1, kind: 'resource', resource: 'db' }));
    await closing(other);
    await goesOn(pair, stream);

    using second = new Pair();
    const asked = second.relay.open();
    asked.write(encodeHeader({ version: 1, kind: 'control' }));
    await closing(asked);
    await goesOn(second, await second.open());
  });

  test('ends only the tunnel that it floods with streams', async () => {
    using pair = new Pair();
    const ended = new Promise((resolve) => pair.client.ended.addEventListener('abort', resolve, { once: true }));
    for (let n = 0; n < 1100 && !pair.relay.end; n += 1) {
      const stream = pair.relay.open();
      stream.write('x');
      if (n % 100 === 99) await closing(stream);
    }
    await ended;
    assert.equal(pair.client.end?.code, 'protocol_violation');
  });

  test('is remembered up to a bound, however much it says', async () => {
    using pair = new Pair();
    const notices = pair.say();
    const all = Buffer.concat(Array.from({ length: 1500 }, (_, n) => encodeJson({ ...NOTICE, stream: 2 * n + 1 })));
    notices.end(all);
    const of = (stream: number) => pair.client.notices.of(stream, 60_000, pair.client.ended);
    assert.equal((await of(2999))?.stream, 2999);
    const now = AbortSignal.abort();
    assert.equal(await pair.client.notices.of(1, 60_000, now), undefined);
    assert.equal((await pair.client.notices.of(953, 60_000, now))?.stream, 953);
    assert.equal(await pair.client.notices.of(953, 60_000, now), undefined, 'each is told once');
  });

  test('leaves the tunnel as it is by whatever bytes', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (bytes, isNotice) => {
        using pair = new Pair();
        const stream = pair.relay.open();
        stream.write(isNotice ? encodeHeader({ version: 1, kind: 'notice' }) : tooLong);
        for (const each of bytes) stream.write(each);
        stream.end();
        (await pair.open()).destroy();
        assert.equal(pair.client.end, undefined);
      }),
      { numRuns: 100 },
    );
  });

  /** What it said counts for nothing, and nothing else has changed. */
  async function goesOn(pair: Pair, stream: TunnelStream): Promise<void> {
    assert.equal(pair.client.end, undefined);
    assert.equal(stream.destroyed, false);
    (await pair.open()).destroy();
    pair.carried[0]?.destroy();
    assert.equal((await whyOf(stream)).message, UNSAID);
  }
});
