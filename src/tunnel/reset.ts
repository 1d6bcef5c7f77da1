import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Breaks a connection off so that nobody takes what came for the whole: by a reset where it is TCP. A Unix socket just
 * closes; TLS lacks its close_notify; a stream of a tunnel resets by itself.
 */
export function reset(duplex: Duplex): void {
  if (duplex instanceof Socket && isResettable(duplex)) duplex.resetAndDestroy();
  else duplex.destroy();
}

function isResettable(socket: Socket): boolean {
  // Node cannot reset a socket that is ending: it would leak the handle, and the process could not exit.
  return !socket.destroyed && !socket.writableEnded && socket.remoteAddress !== undefined && !('encrypted' in socket);
}
