import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { createProxyFront } from '../../src/gateway/front/proxy-front.ts';

test('two connections that differ in the address of the relay alone keep their clients apart', async () => {
  const clients = new Map<string, string | undefined>();
  const both = Promise.withResolvers<void>();
  const front = createProxyFront(
    (socket) => {
      clients.set(socket.localAddress ?? '', front.clientOf(socket));
      if (clients.size === 2) both.resolve();
    },
    () => true,
  );
  front.server.listen(0, '0.0.0.0');
  await once(front.server, 'listening');
  const { port } = front.server.address() as AddressInfo;
  const said = 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n';
  const one = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.9' });
  await once(one, 'connect');
  const other = connect({ host: '127.0.0.2', port, localAddress: '127.0.0.9', localPort: one.localPort ?? 0 });
  await once(other, 'connect');
  one.write(said);
  other.write('PROXY UNKNOWN\r\n');
  await both.promise;
  assert.equal(clients.get('127.0.0.1'), '203.0.113.7');
  assert.equal(clients.get('127.0.0.2'), undefined);
  one.destroy();
  other.destroy();
  front.server.close();
});
