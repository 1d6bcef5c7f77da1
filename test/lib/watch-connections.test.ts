import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createDoor } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { watchConnections } from '../../src/lib/watch-connections.ts';

/** Where another listener takes connections for the server. */
async function behindDoor(t: TestContext, server: Server): Promise<number> {
  const door = createDoor((socket) => server.emit('connection', socket));
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  watchConnections(server);
  t.after(() => {
    door.close();
    server.close();
    server.closeAllConnections();
  });
  return (door.address() as AddressInfo).port;
}

describe('A server that is given its connections', { timeout: 30_000 }, () => {
  test('cuts off who does not finish their headers, and serves who does', async (t) => {
    const limits = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
    const port = await behindDoor(
      t,
      createServer(limits, (_req, res) => res.end('hello')),
    );
    const slow = connect(port, '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    assert.match(await text(slow), /^HTTP\/1\.1 408 /);
    const quick = connect(port, '127.0.0.1');
    quick.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(await text(quick), /\r\n\r\nhello$/);
  });

  test('can end its idle connections', async (t) => {
    const server = createServer((_req, res) => res.end('hello'));
    const kept = connect(await behindDoor(t, server), '127.0.0.1');
    kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(kept, 'data');
    setImmediate(() => server.closeIdleConnections());
    await once(kept, 'close');
  });
});
