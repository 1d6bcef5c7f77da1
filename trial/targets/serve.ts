import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface RunningTarget extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, what the agent dials. */
  readonly url: string;
}

/** Listens on a loopback port that is free; only the agent needs to know which. */
export async function serveTarget(server: Server = createServer()): Promise<RunningTarget> {
  // The server forgets connections that it upgraded; we must not.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
