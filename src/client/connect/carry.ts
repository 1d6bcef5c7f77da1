import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { hasCode } from '../../lib/errors.ts';
import { copy } from '../../tunnel/copy.ts';
import { reset } from '../../tunnel/reset.ts';
import { whyBroken } from '../tunnel/broken.ts';

export interface Carrying {
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
  /** Told once, in words, when the connection was not opened or broke. */
  readonly failed: (error: unknown) => void;
  /** Before the first byte. */
  readonly opened?: () => void;
  /** Instead of a reset, when it was not opened. */
  readonly refused?: (error: unknown) => void;
}

/**
 * Leads one connection of a local program through a stream, which is given up when the program goes first. What breaks
 * ends in a reset: nobody takes it for a whole answer.
 */
export async function carry(socket: Socket, { open, failed, opened, refused }: Carrying): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  socket.once('close', leave);
  if (socket.destroyed) leave();
  try {
    const stream = await open(gone.signal);
    if (socket.destroyed) return void stream.destroy();
    opened?.();
    join(socket, stream, failed);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!hasCode(error, 'aborted')) failed(error);
    if (refused) refused(error);
    else reset(socket);
  } finally {
    socket.off('close', leave);
  }
}

/** Both ways, to the end of both. */
function join(socket: Socket, stream: Duplex, failed: (error: unknown) => void): void {
  stream.once('error', (error) => {
    if (!socket.destroyed) void whyBroken(stream, error).then(failed);
  });
  copy(socket, stream);
}
