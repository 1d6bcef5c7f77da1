/** Full jitter: uniform in [0, min(capMs, baseMs · 2^attempt)). `random` yields [0, 1). */
export function fullJitterMs(
  attempt: number,
  baseMs: number,
  capMs: number,
  random: () => number = Math.random,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
}
