import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { copy } from '../../src/tunnel/copy.ts';

/** Both ends of a TCP connection on this machine. */
async function connection(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const here = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [there] = await accepted;
  t.after(() => {
    for (const socket of [here, there]) socket.on('error', () => {}).destroy();
    server.close();
  });
  return [here, there];
}

describe('copying between two connections', () => {
  test('passes on the end of each direction alone', async (t) => {
    const [[a, b], [c, d]] = await Promise.all([connection(t), connection(t)]);
    copy(b, c);
    a.end('question');
    d.resume();
    await once(d, 'end');
    d.end('answer');
    assert.equal((await a.toArray()).join(''), 'answer');
  });

  test('resets the other side when one is reset, so that half of an upload never looks whole', async (t) => {
    const [[a, b], [c, d]] = await Promise.all([connection(t), connection(t)]);
    copy(b, c);
    a.write('half');
    assert.equal(String(await once(d, 'data')), 'half');
    a.resetAndDestroy();
    await assert.rejects(once(d, 'end'), { code: 'ECONNRESET' });
  });

  test('resets the other side when a stream breaks, also one that is no socket', async (t) => {
    const [c, d] = await connection(t);
    const stream = new PassThrough();
    copy(stream, c);
    stream.write('half');
    assert.equal(String(await once(d, 'data')), 'half');
    stream.destroy();
    await assert.rejects(once(d, 'end'), { code: 'ECONNRESET' });
  });
});
