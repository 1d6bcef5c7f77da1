import type { Socket } from 'node:net';
import { type LocalListener, type LocalPlace, listen } from '../connect/listen.ts';
import { connectFront } from './connect-front.ts';
import type { ProxyPort } from './port.ts';
import { serveSocks } from './socks-front.ts';

export interface ProxyKinds {
  readonly socks: boolean;
  readonly http: boolean;
}

const SOCKS_VERSION = 5;
/** From the connection to the whole request; then it is cut. */
const HANDSHAKE_MS = 10_000;

/** Listens for SOCKS5, HTTP CONNECT or both, told apart by the first byte. */
export function serveProxy(
  place: LocalPlace,
  kinds: ProxyKinds,
  port: ProxyPort,
  handshakeMs = HANDSHAKE_MS,
): Promise<LocalListener> {
  const serveConnect = connectFront(port);
  return listen(place, (socket) => {
    const timer = setTimeout(() => socket.destroy(), handshakeMs);
    const asked = () => clearTimeout(timer);
    socket.once('close', asked);
    firstByte(socket, (byte) => {
      if (kinds.socks && (byte === SOCKS_VERSION || !kinds.http)) void serveSocks(socket, port, asked);
      else serveConnect(socket, asked);
    });
  });
}

/** Looks at it and leaves it, and the socket paused. */
function firstByte(socket: Socket, take: (byte: number) => void): void {
  const settle = () => socket.off('data', look).off('end', cut);
  const cut = () => {
    settle();
    socket.destroy();
  };
  const look = (chunk: Buffer) => {
    settle();
    socket.pause();
    socket.unshift(chunk);
    take(chunk[0] ?? 0);
  };
  socket.on('data', look).on('end', cut);
  socket.resume();
}
