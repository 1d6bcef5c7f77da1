import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Echo extends AsyncDisposable {
  readonly port: number;
  /** How many sent something: agents try a target without a byte. */
  spoken: number;
  /** Called at the first byte of each. */
  onByte: (() => void) | undefined;
}

/** Sends back what it gets, and ends when the other side has. */
export async function startEcho(): Promise<Echo> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.once('data', () => {
      echo.spoken += 1;
      echo.onByte?.();
    });
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const echo: Echo = {
    port: (server.address() as AddressInfo).port,
    spoken: 0,
    onByte: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return echo;
}

/** What came back until the other side ended, or the code of the error. */
export async function converse(port: number, from: string, text: string): Promise<string> {
  const socket = connectFrom(port, from);
  let answer = '';
  let failure: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code;
  });
  socket.end(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return failure ?? answer;
}

export function connectFrom(port: number, from: string): Socket {
  return connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
}
