import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../lib/errors.ts';
import { copy } from '../../tunnel/copy.ts';

export interface Carrying {
  /** Opens the stream; the signal aborts when the program has gone. */
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
  readonly signal: AbortSignal;
  /** Told once, in words, when the connection was not opened or broke. */
  readonly failed: (error: unknown) => void;
}

/** Leads one connection of a local program through a stream. What fails ends in a reset: nobody takes it for a whole answer. */
export async function carry(socket: Socket, { open, signal, failed }: Carrying): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  socket.once('close', leave);
  try {
    const stream = await open(AbortSignal.any([signal, gone.signal]));
    if (socket.destroyed) return void stream.destroy();
    join(socket, stream, failed);
  } catch (error) {
    if (!gone.signal.aborted && !signal.aborted) failed(error);
    reset(socket);
  } finally {
    socket.off('close', leave);
  }
}

/** Both ways, to the end of both. */
export function join(socket: Socket, stream: Duplex, failed: (error: unknown) => void): void {
  stream.once('error', (error) => {
    if (!socket.destroyed) failed(brokeOff(error));
    reset(socket);
  });
  copy(socket, stream);
}

/** Where the kind of socket knows no reset, it just ends. */
export function reset(socket: Socket): void {
  // Node cannot reset a socket that is ending: it would leak the handle, and the process could not exit.
  if (socket.destroyed || socket.writableEnded || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function brokeOff(error: Error): Error {
  return new Error(`The connection broke off. ${messageOf(error)}`, { cause: error });
}
