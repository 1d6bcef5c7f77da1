import type { AuditAppender, AuditEvent, Recorded } from '../domain/audit-event.ts';
import { fullJitterMs } from '../lib/backoff.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import type { Logger } from '../lib/log.ts';
import { SparingLog } from '../lib/sparing-log.ts';
import { pause } from '../lib/wait.ts';
import { Frontier } from '../proof/frontier.ts';
import { type Batch, encodeBatch } from './batch.ts';
import type { LogState } from './checkpoints.ts';
import type { LogBatch, LogHead, LogStore } from './log-store.ts';
import { MAX_WAITING, refuse, type Waiting, WaitingEvents } from './waiting.ts';

/** How far past its bound a caller may be answered. */
const SWEEP_MS = 50;
const RETRY_BASE_MS = 25;
const RETRY_CAP_MS = 1_000;

export interface AppenderOptions {
  readonly store: LogStore;
  readonly logId: string;
  readonly writer: string;
  readonly head: LogHead;
  readonly log: Logger;
}

/** One log's only writer. While one batch is on its way the next gathers; SPEC.md, "The commit", says why it cannot fork. */
export class GroupAppender implements AuditAppender, AsyncDisposable {
  readonly #options: AppenderOptions;
  readonly #failureLog: SparingLog;
  readonly #waiting = new WaitingEvents();
  readonly #stop = new AbortController();
  #frontier: Frontier;
  #epoch: number;
  #inFlight: readonly Waiting[] = [];
  #pumping: Promise<void> | undefined;
  /** Cleared in the same turn in which the pump sees that nothing waits, so no event falls in between. */
  #running = false;
  #stopping = false;
  #scheduled: NodeJS.Immediate | undefined;
  #linger: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  /** Commits and recoveries that failed in a row, and since when. */
  #failures = 0;
  #failingSince: number | undefined;
  /** Set once, for ever: this process may not write to the log any more. */
  #fenced: PosternError | undefined;
  readonly #closed = new AbortController();

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#failureLog = new SparingLog(options.log);
    this.#epoch = options.head.epoch;
    this.#frontier = new Frontier(options.head.size, options.head.frontier);
    if (!this.#frontier.root().equals(options.head.root)) throw tampered(options.logId);
  }

  get size(): number {
    return this.#frontier.size;
  }

  state(): LogState {
    return { size: this.#frontier.size, root: this.#frontier.root() };
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get waiting(): number {
    return this.#waiting.size + this.#inFlight.length;
  }

  append(event: AuditEvent): Promise<Recorded> {
    const refusal = this.#refusalFor(event);
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#waiting.add(event, this.#options.store.commitTimeoutMs, resolve, reject);
      this.#sweep ??= setTimeout(() => this.#expire(), SWEEP_MS);
      // In the check phase, so that all that arrives in this turn of the loop goes together.
      if (!this.#running) this.#scheduled ??= setImmediate(() => this.#start());
    });
  }

  /** Writes what waits, within the bound; what is left then is refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    const limit = setTimeout(() => this.#stop.abort(), this.#options.store.commitTimeoutMs);
    this.#stopping = true;
    this.#start();
    await this.#pumping;
    this.#stop.abort();
    clearTimeout(limit);
    clearTimeout(this.#sweep);
    clearTimeout(this.#linger);
    clearImmediate(this.#scheduled);
    this.#waiting.refuseAll(unavailable);
    this.#failureLog.sumUp();
  }

  #refusalFor(event: AuditEvent): PosternError | undefined {
    if (this.#fenced) return this.#fenced;
    if (this.#stopping || this.#waiting.size >= MAX_WAITING) return unavailable();
    // Known to be away for longer than anyone may wait: say so at once.
    const { failingSince, bound } = { failingSince: this.#failingSince, bound: this.#options.store.commitTimeoutMs };
    const away = failingSince !== undefined && performance.now() - failingSince > bound;
    return away && event.kind !== 'access.outcome' ? unavailable() : undefined;
  }

  #start(): void {
    this.#scheduled = undefined;
    if (this.#running) return;
    this.#running = true;
    clearTimeout(this.#linger);
    this.#pumping = this.#pump();
  }

  async #pump(): Promise<void> {
    let landed: Batch | undefined;
    while (!this.#fenced && !this.#stop.signal.aborted) {
      const lingerMs = this.#waiting.lingerMs();
      if (lingerMs === undefined || (lingerMs > 0 && !this.#stopping)) {
        if (landed) {
          this.#tell(landed);
          landed = undefined;
          continue;
        }
        this.#running = false;
        if (lingerMs !== undefined) this.#linger = setTimeout(() => this.#start(), lingerMs);
        return;
      }
      this.#inFlight = this.#waiting.take();
      const writing = this.#write(this.#inFlight);
      // Those who waited for the batch before go on when this one is on its way. What that adds, the next turn sees.
      const told = landed && this.#tellSoon(landed);
      landed = await writing;
      await told;
      this.#inFlight = [];
    }
    if (landed) this.#tell(landed);
  }

  /** What landed, if anything. */
  async #write(events: readonly Waiting[]): Promise<Batch | undefined> {
    const { store, head, logId } = this.#options;
    const batch = encodeBatch(events, logId, this.#frontier);
    const { rows, first, next, accepted } = batch;
    if (rows.length === 0) return undefined;
    const moved: LogBatch = {
      number: head.number,
      epoch: this.#epoch,
      oldSize: first,
      newSize: next.size,
      root: next.root(),
      frontier: next.encode(),
      rows,
    };
    let landed = false;
    try {
      landed = await store.commit(moved);
    } catch (error) {
      this.#failureLog.warn({ error: messageOf(error) }, 'a commit to the audit log failed');
    }
    if (landed) this.#succeeded();
    else landed = await this.#learn(moved);
    if (!landed) {
      this.#waiting.putBack(accepted);
      return undefined;
    }
    this.#frontier = next;
    return batch;
  }

  #tellSoon(batch: Batch): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#tell(batch);
        resolve();
      });
    });
  }

  #tell({ accepted, rows, first }: Batch): void {
    accepted.forEach((waiting, at) => {
      const { event } = waiting;
      if (!waiting.answered) {
        waiting.answered = true;
        const leafHash = rows[at]?.leafHash.toString('hex') ?? '';
        waiting.resolve({ id: event.id, log: this.#options.logId, index: first + at, leafHash });
      } else if (event.kind === 'access.intent' && event.effect === 'allow') {
        // Its caller was told that it is not recorded, so nothing was forwarded.
        this.#noteNotForwarded(event);
      }
    });
  }

  #noteNotForwarded(intent: Extract<AuditEvent, { kind: 'access.intent' }>): void {
    const outcome: AuditEvent = {
      kind: 'access.outcome',
      id: sortableId(),
      at: Date.now(),
      intent: intent.id,
      resource: intent.resource,
      end: 'not_forwarded',
      bytesUp: 0,
      bytesDown: 0,
      durationMs: 0,
      ...(intent.principal === undefined ? {} : { principal: intent.principal }),
      ...(intent.session === undefined ? {} : { session: intent.session }),
    };
    const ignore = (): void => undefined;
    this.#waiting.add(outcome, this.#options.store.commitTimeoutMs, ignore, ignore);
  }

  /**
   * After a commit whose fate is unknown: raises the epoch, which no commit of the old one survives, and sees from the
   * head whether the batch had landed. Tries until it knows; callers are answered by their own bound meanwhile.
   */
  async #learn(batch: LogBatch): Promise<boolean> {
    const { store, logId, writer } = this.#options;
    this.#failingSince ??= performance.now();
    while (!this.#stop.signal.aborted) {
      await pause(fullJitterMs(this.#failures, RETRY_BASE_MS, RETRY_CAP_MS), this.#stop.signal);
      this.#failures += 1;
      let head: LogHead | undefined;
      try {
        head = await store.raiseEpoch(logId, writer);
      } catch (error) {
        this.#failureLog.warn({ error: messageOf(error) }, 'the audit log is not available');
        continue;
      }
      if (!head) return this.#fence(fencedOff(logId));
      this.#epoch = head.epoch;
      this.#failingSince = undefined;
      if (head.size === batch.oldSize && head.root.equals(this.#frontier.root())) return false;
      if (head.size === batch.newSize && head.root.equals(batch.root)) {
        this.#succeeded();
        return true;
      }
      return this.#fence(tampered(logId));
    }
    return false;
  }

  #succeeded(): void {
    if (this.#failures > 0) {
      this.#failureLog.sumUp();
      this.#options.log.info('the audit log is available again');
    }
    this.#failures = 0;
    this.#failingSince = undefined;
  }

  #fence(error: PosternError): false {
    this.#fenced = error;
    this.#options.log.fatal(
      { error: error.message },
      'the audit log is closed to this process: it takes no more requests',
    );
    refuse(this.#inFlight, () => error);
    this.#waiting.refuseAll(() => error);
    this.#closed.abort(error);
    return false;
  }

  #expire(): void {
    const now = performance.now();
    this.#waiting.expire(now, unavailable);
    const overdue = this.#inFlight.filter((waiting) => waiting.deadline <= now);
    refuse(overdue, unavailable);
    const pending = this.#waiting.size > 0 || this.#inFlight.some((waiting) => !waiting.answered);
    this.#sweep = pending ? setTimeout(() => this.#expire(), SWEEP_MS) : undefined;
  }
}

function unavailable(): PosternError {
  return new PosternError('audit_unavailable', 'The audit log cannot be written, so nothing is forwarded. Try again.');
}

function fencedOff(logId: string): PosternError {
  return new PosternError(
    'audit_fenced',
    `Another process writes to the audit log ${logId}. Give each relay an id of its own, then start this one again.`,
  );
}

export function tampered(logId: string): PosternError {
  return new PosternError(
    'audit_fenced',
    `The head of the audit log ${logId} does not fit its records. Nothing more is written to it: verify the log.`,
  );
}
