import type { Destination } from '../tunnel/destination.ts';
import type { StreamOpener } from '../tunnel/open-stream.ts';
import { carry } from './carry.ts';
import { type LocalListener, type LocalPlace, listen } from './listen.ts';

export interface Serving {
  readonly to: Destination;
  readonly opener: StreamOpener;
  readonly signal: AbortSignal;
  /** Told in words of each connection that was not opened or broke. */
  readonly failed: (error: unknown) => void;
}

/** Leads each local connection to one destination, through a stream of its own. */
export function serve(place: LocalPlace, { to, opener, signal, failed }: Serving): Promise<LocalListener> {
  return listen(place, (socket) => {
    void carry(socket, { open: (gone) => opener.open(to, AbortSignal.any([signal, gone])), failed });
  });
}
