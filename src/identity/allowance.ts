import type { Clock } from '../lib/clock.ts';

/** True for the first `perMinute` calls of each minute: strangers get that many records of their own, then sums. */
export function createAllowance(perMinute: number, clock: Clock): () => boolean {
  let minute = 0;
  let used = 0;
  return () => {
    const now = Math.floor(clock() / 60_000);
    if (now !== minute) {
      minute = now;
      used = 0;
    }
    used += 1;
    return used <= perMinute;
  };
}
