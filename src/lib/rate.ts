import { dropOldest } from './drop-oldest.ts';

/** A steady rate, and how much may come at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Keys remembered; beyond it the least recently seen is forgotten, and begins again with a full bucket. */
const MAX_KEYS = 20_000;

/** A token bucket for each key. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes one from the key's bucket; false when it is empty. */
  take(key: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate;
    const known = this.#buckets.get(key);
    const bucket = known ?? { left: burst, at: nowMs };
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, nowMs - bucket.at) * perSecond) / 1000);
    bucket.at = nowMs;
    if (known !== undefined) this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    dropOldest(this.#buckets, MAX_KEYS);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}

interface Bucket {
  left: number;
  at: number;
}
