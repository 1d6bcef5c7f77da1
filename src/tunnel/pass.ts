import type { Duplex } from 'node:stream';
import { release } from './read-memory.ts';

/** As `pipe`, for a stream that nobody else keeps anything of: what it read is released when it was written. */
export function pass(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    const more = to.write(chunk, (error) => {
      // One that was destroyed says no more what became of each chunk.
      if (!error && !to.destroyed) release(chunk);
    });
    if (!more) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.resume();
}
