import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flag, FrameDecoder, FrameType } from '../../src/tunnel/frame.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { PipeEnd } from './pair.ts';

/** What went out so far: `id:type/flags:length` per frame, pings left out. */
function sentFrames(end: PipeEnd): string[] {
  const frames: string[] = [];
  const decoder = new FrameDecoder({
    frame: (_version, type, flags, id, length) => {
      if (type !== FrameType.ping) frames.push(`${id}:${type}/${flags}:${length}`);
      return true;
    },
    payload: () => true,
  });
  for (const message of end.sent) decoder.decode(message);
  return frames;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('all small frames of one tick share one message', async () => {
  const end = new PipeEnd();
  const tunnel = new Tunnel(end, { side: 'dialler', heartbeatMs: 60_000 });
  await turn();
  end.sent.length = 0;
  for (let n = 0; n < 20; n += 1) tunnel.open().write('hello');
  await turn();
  assert.equal(end.sent.length, 1);
  assert.equal(sentFrames(end).length, 20);
  tunnel.close('normal', '');
});

test('streams take turns: a small one does not wait behind a large one', async () => {
  const end = new PipeEnd();
  const tunnel = new Tunnel(end, { side: 'dialler', heartbeatMs: 60_000 });
  tunnel.open().write(Buffer.alloc(250_000));
  tunnel.open().write('small');
  await turn();
  assert.deepEqual(sentFrames(end), ['1:0/1:65536', '3:0/1:5', '1:0/0:65536', '1:0/0:65536', '1:0/0:53392']);
  tunnel.close('normal', '');
});

test('while the transport is full nothing goes out; a reset then goes first and takes its queue along', async () => {
  const end = new PipeEnd();
  const tunnel = new Tunnel(end, { side: 'dialler', heartbeatMs: 60_000 });
  const doomed = tunnel.open();
  const other = tunnel.open();
  doomed.write('begin');
  await turn();
  end.sent.length = 0;
  end.waitingBytes = 2 * 1024 * 1024;
  doomed.write(Buffer.alloc(100_000));
  other.write('other');
  await turn();
  assert.equal(end.sent.length, 0);
  doomed.destroy();
  await turn();
  end.waitingBytes = 0;
  end.receiver?.drained();
  assert.deepEqual(sentFrames(end), [`1:${FrameType.windowUpdate}/${Flag.rst}:0`, '3:0/0:5']);
  tunnel.close('normal', '');
});
