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
const FIRST_BYTE_MS = 10_000;

/** Listens for SOCKS5, HTTP CONNECT or both, told apart by the first byte. */
export function serveProxy(place: LocalPlace, kinds: ProxyKinds, port: ProxyPort): Promise<LocalListener> {
  const http = connectFront(port);
  return listen(place, (socket) => {
    firstByte(socket, (byte) => {
      if (kinds.socks && (byte === SOCKS_VERSION || !kinds.http)) void serveSocks(socket, port);
      else http(socket);
    });
  });
}

/** Looks at it and leaves it, and the socket paused. */
function firstByte(socket: Socket, take: (byte: number) => void): void {
  const timer = setTimeout(() => socket.destroy(), FIRST_BYTE_MS);
  const settle = () => {
    clearTimeout(timer);
    socket.off('data', look).off('end', cut).off('close', settle);
  };
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
  socket.on('data', look).on('end', cut).on('close', settle);
  socket.resume();
}
