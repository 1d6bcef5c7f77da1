import { Memo } from './memo.ts';

/** A steady rate, and how much may come at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Keys remembered; beyond it those not seen for longest are forgotten, and begin again with a full bucket. */
const MAX_KEYS = 20_000;

/** A token bucket for each key. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #buckets = new Memo<Bucket>(MAX_KEYS);

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes one from the key's bucket; false when it is empty. */
  take(key: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { left: burst, at: nowMs };
      this.#buckets.set(key, bucket);
    }
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, nowMs - bucket.at) * perSecond) / 1000);
    bucket.at = nowMs;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}

interface Bucket {
  left: number;
  at: number;
}
