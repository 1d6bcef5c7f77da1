import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawTarget extends AsyncDisposable {
  readonly port: number;
  /** Everything it received, over all connections. */
  readonly received: () => string;
  readonly connections: number;
}

/** A target that speaks in bytes: `answer` is called when the head of a request is there; bodies are small. */
export async function createRawTarget(answer: (socket: Socket, head: string) => void): Promise<RawTarget> {
  let received = '';
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    let seen = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      seen += chunk.toString('latin1');
      if (!/^[A-Z]+ [^\r]*\r\n[^]*\r\n\r\n/.test(seen)) return;
      const head = seen;
      seen = '';
      answer(socket, head);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
