import type { AuditAppender } from '../domain/audit-event.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import type { Logger } from '../lib/log.ts';
import { networkOf } from './network.ts';

const FLUSH_MS = 60_000;
/** Networks and reasons counted apart at a time; those that come later count as the network `other`. */
const MAX_COUNTED = 1_000;
/** Distinct reasons; callers have a closed list, and a mistake of theirs must not grow without end. */
const MAX_REASONS = 100;
const OTHER = 'other';

interface Count {
  readonly network: string;
  readonly reason: string;
  readonly since: number;
  count: number;
}

/** Refusals of those without a principal, counted per network and reason and recorded once a minute. Never blocks. */
export class StrangerCounter implements AsyncDisposable {
  readonly #audit: AuditAppender;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #counts = new Map<string, Count>();
  #flushing: Promise<void> | undefined;

  constructor(audit: AuditAppender, log: Logger, clock: Clock = systemClock) {
    this.#audit = audit;
    this.#log = log;
    this.#clock = clock;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  refused(reason: string, address: string): void {
    this.#add({ network: networkOf(address), reason, since: this.#clock(), count: 1 });
  }

  /** Records what was counted; what cannot be recorded now is counted on. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  #add(seen: Count): void {
    const known = this.#counts.get(keyOf(seen.network, seen.reason));
    if (known) {
      known.count += seen.count;
      return;
    }
    const full = this.#counts.size >= MAX_COUNTED;
    const crowded = this.#counts.size >= MAX_COUNTED + MAX_REASONS;
    const network = full ? OTHER : seen.network;
    const reason = crowded ? OTHER : seen.reason;
    const fallback = this.#counts.get(keyOf(network, reason));
    if (fallback) fallback.count += seen.count;
    else this.#counts.set(keyOf(network, reason), { ...seen, network, reason });
  }

  async #flush(): Promise<void> {
    const counts = [...this.#counts.values()];
    this.#counts = new Map();
    const results = await Promise.allSettled(
      counts.map((each) =>
        this.#audit.append({
          kind: 'strangers.refused',
          id: sortableId(),
          at: this.#clock(),
          reason: each.reason,
          count: each.count,
          since: each.since,
          personal: { address: each.network },
        }),
      ),
    );
    results.forEach((result, at) => {
      const count = counts[at];
      if (result.status === 'fulfilled' || !count) return;
      if (at === 0) this.#log.warn({ error: messageOf(result.reason) }, 'refusals of strangers are not recorded yet');
      this.#add(count);
    });
  }
}

function keyOf(network: string, reason: string): string {
  return `${network} ${reason}`;
}
