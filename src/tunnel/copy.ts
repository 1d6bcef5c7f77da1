import type { Duplex } from 'node:stream';
import { pass } from './pass.ts';
import { reset } from './reset.ts';

/**
 * Copies both ways with back-pressure. The end of one direction is passed on alone; a failure or an early close of one
 * resets the other, so that what was cut never looks whole.
 */
export function copy(one: Duplex, other: Duplex): void {
  link(one, other);
  link(other, one);
  pass(one, other);
  pass(other, one);
}

function link(from: Duplex, to: Duplex): void {
  from.on('error', () => reset(to));
  from.on('close', () => {
    // Closed with both directions ended in order: what `to` still has to write, it may write.
    if (!from.readableEnded || !from.writableFinished) reset(to);
  });
}
