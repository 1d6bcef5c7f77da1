import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { limitConnections } from '../../src/gateway/front/connection-limits.ts';
import { createNetworks } from '../../src/lib/networks.ts';

/** A server that greets whom it lets in, with these limits; it trusts 127.0.0.9. */
async function greeting(limits: { total?: number; perAddress?: number }) {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Whoever was turned away is there for a moment, too.
    if (!socket.destroyed) socket.resume().write('hello');
  });
  limitConnections(server, createNetworks(['127.0.0.9']), limits);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  return {
    /** Undefined: it was closed unread. */
    async from(localAddress: string): Promise<Socket | undefined> {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      sockets.push(socket);
      const greeted = await new Promise<boolean>((resolve) => {
        socket.on('data', () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.on('close', () => resolve(false));
      });
      return greeted ? socket : undefined;
    },
    /** Until the server knows that the client has gone. */
    async gone(socket: Socket | undefined): Promise<void> {
      const before = await connections();
      socket?.destroy();
      while ((await connections()) === before) await new Promise(setImmediate);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function connections(): Promise<number> {
    return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  }
}

describe('connections that are open at once', () => {
  it('are bounded by address: the next one there is closed unread, others come in, and who leaves makes room', async () => {
    await using server = await greeting({ perAddress: 2 });
    const first = await server.from('127.0.0.2');
    assert.ok(first && (await server.from('127.0.0.2')));
    assert.equal(await server.from('127.0.0.2'), undefined);
    assert.ok(await server.from('127.0.0.3'), 'another address');
    await server.gone(first);
    assert.ok(await server.from('127.0.0.2'), 'there is room again');
    assert.equal(await server.from('127.0.0.2'), undefined, 'for one: those turned away do not count');
  });

  it('are bounded in the sum, in which alone those of a trusted proxy count', async () => {
    await using server = await greeting({ perAddress: 1, total: 3 });
    assert.ok(await server.from('127.0.0.9'));
    assert.ok(await server.from('127.0.0.9'));
    assert.ok(await server.from('127.0.0.2'));
    for (const address of ['127.0.0.9', '127.0.0.3']) assert.equal(await server.from(address), undefined, address);
  });
});
