import type { AuditAppender } from '../../domain/audit-event.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { type Rate, RateLimiter } from '../../lib/rate.ts';
import type { LineLog } from '../../lib/sparing-log.ts';
import { MAX_THROTTLED, THROTTLED_FLUSH_MS } from '../limits.ts';

interface Throttled {
  readonly since: number;
  count: number;
}

/** Stands for the persons beyond `MAX_THROTTLED`. */
const OTHERS = '';

/** How much one person may ask for. What is beyond it costs the log one record a minute and person, not one each. */
export class PersonRate {
  readonly #limiter: RateLimiter;
  readonly #audit: AuditAppender;
  readonly #clock: Clock;
  readonly #log: LineLog | undefined;
  readonly #timer: NodeJS.Timeout;
  #throttled = new Map<string, Throttled>();

  constructor(rate: Rate, audit: AuditAppender, clock: Clock, log: LineLog | undefined) {
    this.#limiter = new RateLimiter(rate);
    this.#audit = audit;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => void this.#flush(), THROTTLED_FLUSH_MS);
    this.#timer.unref();
  }

  /** False: answer 429; it is counted. */
  admits(principal: string): boolean {
    const now = this.#clock();
    if (this.#limiter.take(principal, now)) return true;
    const key = this.#throttled.size < MAX_THROTTLED || this.#throttled.has(principal) ? principal : OTHERS;
    const known = this.#throttled.get(key);
    if (known) known.count += 1;
    else this.#throttled.set(key, { since: now, count: 1 });
    return false;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return this.#flush();
  }

  async #flush(): Promise<void> {
    const throttled = this.#throttled;
    this.#throttled = new Map();
    const written = [...throttled].map(([principal, { count, since }]) => {
      const at = this.#clock();
      const who = principal === OTHERS ? {} : { principal };
      return this.#audit.append({ kind: 'access.throttled', id: sortableId(at), at, ...who, count, since });
    });
    for (const result of await Promise.allSettled(written)) {
      if (result.status === 'rejected')
        this.#log?.warn({ error: messageOf(result.reason) }, 'requests beyond the rate were not recorded');
    }
  }
}
