import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAnswer, encodeHeader, receiveAnswer, refusalError } from '../../src/tunnel/stream-header.ts';
import { closing, collect, tunnelPair } from './pair.ts';

test('a refusal that comes together with the end of the stream surfaces as its code, never as a plain end', async (t) => {
  const { relay } = tunnelPair((stream) => {
    stream.resume();
    stream.end(encodeAnswer({ ok: false, code: 'dial_timeout' }));
    return true;
  });
  t.after(() => relay.close('normal', ''));
  const stream = relay.open();
  let ended = false;
  stream.on('end', () => (ended = true));
  stream.resume();
  stream.write(encodeHeader({ version: 1, kind: 'resource', resource: 'db' }));
  const answer = receiveAnswer(stream, 5000, (said) => {
    if (!said.ok) stream.destroy(refusalError(said, 'db'));
  });
  assert.equal((await closing(stream))?.code, 'timeout');
  assert.equal(ended, false);
  assert.deepEqual(await answer, { ok: false, code: 'dial_timeout' });
});

test('what comes together with a good answer reaches the reader, and then the end', async (t) => {
  const { relay } = tunnelPair((stream) => {
    stream.resume();
    stream.write(encodeAnswer({ ok: true }));
    stream.end('at once');
    return true;
  });
  t.after(() => relay.close('normal', ''));
  const stream = relay.open();
  stream.end(encodeHeader({ version: 1, kind: 'resource', resource: 'db' }));
  const body = collect(stream);
  assert.deepEqual(await receiveAnswer(stream, 5000), { ok: true });
  assert.equal((await body).toString(), 'at once');
});
