import { createServer, type Server, type Socket } from 'node:net';
import type { Networks } from '../../lib/networks.ts';
import { readProxyHeader } from './proxy-protocol.ts';

/** A proxy sends its header at once; a connection without it by then is cut. */
const HEADER_MS = 5_000;

export interface ProxyFront {
  /** Listens in place of the HTTP server behind it. */
  readonly server: Server;
  /** What the proxy said about a connection; undefined when it spoke for itself. */
  readonly clientOf: (socket: Socket) => string | undefined;
}

/**
 * Takes connections that begin with a header of the PROXY protocol, from trusted proxies only, and hands them on with
 * the header taken off. A connection from anywhere else, or without a valid header, is cut: it must not be guessed
 * whether there is one.
 */
export function createProxyFront(deliver: (socket: Socket) => void, trusted: Networks): ProxyFront {
  // By both ends of the connection, since TLS wraps the socket in another object.
  const clients = new Map<string, string>();

  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    if (!trusted(socket.remoteAddress ?? '')) return void socket.destroy();
    const key = endsOf(socket);
    readHeader(socket, (client) => {
      if (client !== undefined) {
        clients.set(key, client);
        socket.once('close', () => clients.delete(key));
      }
      deliver(socket);
    });
  });
  return { server, clientOf: (socket) => clients.get(endsOf(socket)) };
}

function readHeader(socket: Socket, onHeader: (client: string | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const limit = setTimeout(() => socket.destroy(), HEADER_MS);
  const stop = () => {
    clearTimeout(limit);
    socket.off('readable', read);
    socket.off('close', stop);
  };
  const read = () => {
    for (let chunk = next(socket); chunk !== null; chunk = next(socket)) {
      bytes = Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header.kind === 'incomplete') continue;
      stop();
      if (header.kind === 'invalid') return void socket.destroy();
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
      return onHeader(header.client);
    }
  };
  socket.on('readable', read);
  socket.on('close', stop);
}

function next(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}

function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
