import { sql } from 'drizzle-orm';
import type { Change } from '../domain/change.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Database, Tx } from './open.ts';

const POLL_MS = 250;
/** While a change of our own is on its way to its commit. */
const EAGER_POLL_MS = 10;
/** How long to look eagerly for it; after that the ordinary poll finds it. */
const EAGER_FOR_MS = 1_000;
/** Rows of one read; the next read follows at once when there are more. */
const PAGE_ROWS = 500;
/** Rows are for relays that run now; one that starts reads the state itself. The newest stays, so that each relay finds its place. */
const KEEP = '1 hour';
const PRUNE_MS = 600_000;
/** Key of the advisory lock that makes sequence numbers visible in their order. */
const LOCK = 7_067_002;

/** What relays tell each other, in one order, through the database. */
export interface ChangeFeed extends AsyncDisposable {
  /** Tells every relay, if and when `tx` commits. Serialises with other publishers: call it last in the transaction. */
  publish(tx: Tx, change: Change): Promise<void>;
  /**
   * Calls `listener` for each change from now on, in order. One that fails is called again with the same change, after
   * others may have had it, and the feed stays silent until it succeeds. Resolves when nothing later can be missed.
   */
  follow(listener: Follower, options: { signal: AbortSignal }): Promise<void>;
  /**
   * Since the feed was last read to its end and followed, in ms of a clock that nobody can set; infinite before. A relay
   * that cannot read must stop taking requests.
   */
  readonly silenceMs: number;
}

export type Follower = (change: Change) => void | Promise<void>;

export function openChangeFeed(db: Database, log: Logger): ChangeFeed {
  return new DatabaseChangeFeed(db, log);
}

class DatabaseChangeFeed implements ChangeFeed {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #listeners = new Set<Follower>();
  #readAt = Number.NEGATIVE_INFINITY;
  /** Number of the last change that every follower has had; its row stays in the table. */
  #position: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #eagerUntil = 0;
  #prunedAt = performance.now();
  #stopped = false;
  #failing = false;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  get silenceMs(): number {
    return performance.now() - this.#readAt;
  }

  async publish(tx: Tx, change: Change): Promise<void> {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK})`);
    await tx.execute(sql`INSERT INTO change (kind, body) VALUES (${change.kind}, ${JSON.stringify(change)}::jsonb)`);
    this.#eagerUntil = performance.now() + EAGER_FOR_MS;
    if (this.#position !== undefined) this.#schedule();
  }

  async follow(listener: Follower, options: { signal: AbortSignal }): Promise<void> {
    options.signal.throwIfAborted();
    if (this.#position === undefined) {
      const startedAt = performance.now();
      const newest = await this.#newest();
      this.#position ??= newest;
      this.#readAt = Math.max(this.#readAt, startedAt);
    }
    this.#listeners.add(listener);
    options.signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
    this.#schedule();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#reading;
  }

  #schedule(): void {
    if (this.#stopped || this.#reading) return;
    clearTimeout(this.#timer);
    const delayMs = performance.now() < this.#eagerUntil ? EAGER_POLL_MS : POLL_MS;
    this.#timer = setTimeout(() => {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
        this.#schedule();
      });
    }, delayMs);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const startedAt = performance.now();
        const place = this.#position ?? 0;
        const { rows } = await this.#db.execute<{ seq: string; body: Change }>(
          sql`SELECT seq, body FROM change WHERE seq >= ${place} ORDER BY seq LIMIT ${PAGE_ROWS}`,
        );
        if (place > 0 && Number(rows[0]?.seq) !== place) {
          await this.#startOver();
          continue;
        }
        for (const row of rows) {
          const seq = Number(row.seq);
          if (seq === place) continue;
          await this.#tell(row.body);
          this.#position = seq;
          this.#eagerUntil = 0;
        }
        if (rows.length < PAGE_ROWS) {
          // What committed after the statement began may be missing from it.
          this.#readAt = startedAt;
          break;
        }
      }
      if (this.#failing) this.#log.info('reads the change feed again');
      this.#failing = false;
      await this.#prune();
    } catch (error) {
      if (!this.#failing) this.#log.warn({ error: messageOf(error) }, 'cannot read or follow the change feed');
      this.#failing = true;
    }
  }

  async #tell(change: Change): Promise<void> {
    for (const listener of this.#listeners) await listener(change);
  }

  /** The last change read is not there any more: the database went back in time (a replica that lagged took over), or this relay was away for longer than changes are kept. */
  async #startOver(): Promise<void> {
    const newest = await this.#newest();
    this.#log.warn({ place: this.#position, newest }, 'lost its place in the change feed; everything is read again');
    await this.#tell({ kind: 'everything_changed' });
    this.#position = newest;
  }

  async #newest(): Promise<number> {
    const { rows } = await this.#db.execute<{ seq: string }>(sql`SELECT coalesce(max(seq), 0) AS seq FROM change`);
    return Number(rows[0]?.seq ?? 0);
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = performance.now();
    await this.#db.execute(
      sql`DELETE FROM change WHERE at < now() - ${KEEP}::interval AND seq < (SELECT max(seq) FROM change)`,
    );
  }
}
