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
/** Rows are for relays that run now; one that starts reads the state itself. */
const KEEP = '1 hour';
const PRUNE_MS = 600_000;
/** Key of the advisory lock that makes sequence numbers visible in their order. */
const LOCK = 7_067_002;

/** What relays tell each other, in one order, through the database. */
export interface ChangeFeed extends AsyncDisposable {
  /** Tells every relay, if and when `tx` commits. Serialises with other publishers: call it last in the transaction. */
  publish(tx: Tx, change: Change): Promise<void>;
  /** Calls `listener` for each change from now on, in order. Resolves when nothing later can be missed. */
  follow(listener: (change: Change) => void, options: { signal: AbortSignal }): Promise<void>;
  /** When the feed was last read to its end, epoch ms; 0 before. A relay that cannot read must stop taking requests. */
  readonly lastReadAt: number;
}

export function openChangeFeed(db: Database, log: Logger): ChangeFeed {
  return new DatabaseChangeFeed(db, log);
}

class DatabaseChangeFeed implements ChangeFeed {
  lastReadAt = 0;
  readonly #db: Database;
  readonly #log: Logger;
  readonly #listeners = new Set<(change: Change) => void>();
  #position: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #eagerUntil = 0;
  #prunedAt = Date.now();
  #stopped = false;
  #failing = false;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  async publish(tx: Tx, change: Change): Promise<void> {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK})`);
    await tx.execute(sql`INSERT INTO change (kind, body) VALUES (${change.kind}, ${JSON.stringify(change)}::jsonb)`);
    this.#eagerUntil = Date.now() + EAGER_FOR_MS;
    if (this.#position !== undefined) this.#schedule();
  }

  async follow(listener: (change: Change) => void, options: { signal: AbortSignal }): Promise<void> {
    options.signal.throwIfAborted();
    if (this.#position === undefined) {
      const { rows } = await this.#db.execute<{ seq: string }>(sql`SELECT coalesce(max(seq), 0) AS seq FROM change`);
      this.#position ??= Number(rows[0]?.seq ?? 0);
      this.lastReadAt = Date.now();
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
    const delayMs = Date.now() < this.#eagerUntil ? EAGER_POLL_MS : POLL_MS;
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
        const startedAt = Date.now();
        const { rows } = await this.#db.execute<{ seq: string; body: Change }>(
          sql`SELECT seq, body FROM change WHERE seq > ${this.#position ?? 0} ORDER BY seq LIMIT ${PAGE_ROWS}`,
        );
        for (const row of rows) {
          this.#position = Number(row.seq);
          this.#tell(row.body);
        }
        if (rows.length > 0) this.#eagerUntil = 0;
        if (rows.length < PAGE_ROWS) {
          // What committed after the statement began may be missing from it.
          this.lastReadAt = startedAt;
          break;
        }
      }
      if (this.#failing) this.#log.info('reads the change feed again');
      this.#failing = false;
      await this.#prune();
    } catch (error) {
      if (!this.#failing) this.#log.warn({ error: messageOf(error) }, 'cannot read the change feed');
      this.#failing = true;
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error({ error: messageOf(error), kind: change.kind }, 'a follower of the change feed failed');
      }
    }
  }

  async #prune(): Promise<void> {
    if (Date.now() - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = Date.now();
    await this.#db.execute(sql`DELETE FROM change WHERE at < now() - ${KEEP}::interval`);
  }
}
