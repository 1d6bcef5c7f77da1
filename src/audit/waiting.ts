import type { AuditEvent, Recorded } from '../domain/audit-event.ts';
import type { PosternError } from '../lib/errors.ts';

/** Events that wait at most; beyond it, `audit_unavailable` at once. */
export const MAX_WAITING = 20_000;
/** Most rows of one commit: larger ones gain nothing and delay those behind them. */
const MAX_BATCH_ROWS = 512;
/** An outcome holds nobody up: it waits this long for a batch to ride along with … */
const LINGER_MS = 20;
/** … or for so many others. */
const LINGER_ROWS = 128;
/** And it is kept this long while the database is away: what happened must not be lost for a short outage. */
const OUTCOME_BOUND_MS = 60_000;

export interface Waiting {
  readonly event: AuditEvent;
  readonly since: number;
  readonly deadline: number;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: PosternError) => void;
  /** The caller has its answer; if the event lands all the same, that is noted. */
  answered: boolean;
}

/** Who waits to be written: those whose callers wait first, outcomes after. */
export class WaitingEvents {
  #urgent: Waiting[] = [];
  #outcomes: Waiting[] = [];

  get size(): number {
    return this.#urgent.length + this.#outcomes.length;
  }

  add(event: AuditEvent, boundMs: number, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    const since = performance.now();
    const outcome = event.kind === 'access.outcome';
    const deadline = since + (outcome ? OUTCOME_BOUND_MS : boundMs);
    (outcome ? this.#outcomes : this.#urgent).push({ event, since, deadline, resolve, reject, answered: false });
  }

  /** How long the next batch may still gather: 0 to go now, undefined when nothing waits. */
  lingerMs(): number | undefined {
    if (this.#urgent.length > 0 || this.#outcomes.length >= LINGER_ROWS) return 0;
    const first = this.#outcomes[0];
    return first && Math.max(0, first.since + LINGER_MS - performance.now());
  }

  take(): Waiting[] {
    const batch = this.#urgent.splice(0, MAX_BATCH_ROWS);
    return batch.concat(this.#outcomes.splice(0, MAX_BATCH_ROWS - batch.length));
  }

  /** Back to the front, in order: a batch that is known not to have landed. */
  putBack(batch: readonly Waiting[]): void {
    const open = batch.filter((waiting) => !waiting.answered);
    this.#urgent = [...open.filter((waiting) => waiting.event.kind !== 'access.outcome'), ...this.#urgent];
    this.#outcomes = [...open.filter((waiting) => waiting.event.kind === 'access.outcome'), ...this.#outcomes];
  }

  /** Rejects those past their deadline, and forgets them. */
  expire(now: number, error: () => PosternError): void {
    for (const queue of [this.#urgent, this.#outcomes]) {
      // Queues are in order of arrival, so the overdue are in front.
      let overdue = 0;
      while ((queue[overdue]?.deadline ?? Number.POSITIVE_INFINITY) <= now) overdue += 1;
      refuse(queue.splice(0, overdue), error);
    }
  }

  refuseAll(error: () => PosternError): void {
    refuse([...this.#urgent.splice(0), ...this.#outcomes.splice(0)], error);
  }
}

export function refuse(those: readonly Waiting[], error: () => PosternError): void {
  for (const waiting of those) {
    if (waiting.answered) continue;
    waiting.answered = true;
    waiting.reject(error());
  }
}
