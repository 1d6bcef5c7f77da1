import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { TerminationReason } from '../../src/domain/change.ts';
import { terminationText } from '../../src/gateway/answer/terminated.ts';
import { Notices } from '../../src/gateway/connection/notices.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { receiveControl } from '../../src/tunnel/control-message.ts';
import { type Notice, parseNotice } from '../../src/tunnel/notice.ts';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import { receiveHeader } from '../../src/tunnel/stream-header.ts';
import { unionMembers } from '../docs/union-members.ts';
import { closing, tunnelPair } from '../tunnel/pair.ts';

const LIMIT_MS = 10_000;

function noticeOf(stream: number): Notice {
  return { stream, reason: 'policy_changed', message: 'you may no longer do this here', reference: 'r'.repeat(36) };
}

/** The relay's end, and each stream that it opens, as the other end does with it. */
function setUp(t: TestContext, taken: (stream: TunnelStream) => boolean) {
  const { relay } = tunnelPair(taken);
  t.after(() => relay.close('normal', ''));
  const opened: TunnelStream[] = [];
  const notices = new Notices(() => {
    const stream = relay.open();
    opened.push(stream);
    return stream;
  });
  return { relay, notices, opened };
}

describe('notices to a command line', () => {
  it('have room for every reason and its words', () => {
    const reasons = unionMembers('src/domain/change.ts', 'TerminationReason') as TerminationReason[];
    assert.ok(reasons.length >= 10, 'the reasons were read');
    for (const reason of reasons) parseNotice({ ...noticeOf(1), reason, message: terminationText(reason) });
  });

  it('are told on one stream, as many at once as a tunnel has streams', async (t) => {
    const whole = Promise.withResolvers<Notice[]>();
    const heard: Notice[] = [];
    const { notices, opened } = setUp(t, (stream) => {
      void receiveHeader(stream, LIMIT_MS).then(({ kind }) => {
        assert.equal(kind, 'notice');
        const take = (notice: Notice) => {
          heard.push(notice);
          if (heard.length === 1024) whole.resolve(heard);
        };
        receiveControl(stream, parseNotice, take, whole.reject);
      });
      return true;
    });
    const said = Array.from({ length: 1024 }, (_, n) => noticeOf(2 * n + 1));
    for (const notice of said) notices.say(notice);
    assert.deepEqual(await whole.promise, said);
    assert.equal(opened.length, 1);
  });

  it('wait up to a bound where nobody reads, and are dropped beyond it', (t) => {
    const { notices, opened } = setUp(t, () => true);
    for (let n = 0; n < 50_000; n += 1) notices.say(noticeOf(1));
    const [stream] = opened;
    assert.ok(stream);
    assert.ok(stream.writableLength > 250_000 && stream.writableLength < 300_000, String(stream.writableLength));
    assert.equal(opened.length, 1);
  });

  it('are not tried again where the command line is an older one, which resets the stream', async (t) => {
    const { relay, notices, opened } = setUp(t, () => false);
    notices.say(noticeOf(1));
    assert.ok(opened[0]);
    assert.equal((await closing(opened[0]))?.code, 'ECONNRESET');
    notices.say(noticeOf(3));
    assert.equal(opened.length, 1);
    assert.equal(relay.end, undefined);
  });

  it('end where the command line speaks on their stream', async (t) => {
    const { relay, notices, opened } = setUp(t, (stream) => {
      stream.write('what is this?');
      return true;
    });
    notices.say(noticeOf(1));
    assert.ok(opened[0]);
    assert.equal(await closing(opened[0]), null);
    assert.equal(relay.end, undefined);
  });

  it('are left out while the tunnel takes no stream', (t) => {
    const { relay } = setUp(t, () => true);
    let isFull = true;
    let asked = 0;
    const notices = new Notices(() => {
      asked += 1;
      if (isFull) throw new PosternError('limit_reached', 'The tunnel is full.');
      return relay.open();
    });
    notices.say(noticeOf(1));
    isFull = false;
    notices.say(noticeOf(3));
    notices.say(noticeOf(5));
    assert.equal(asked, 2);
  });
});
