import pg from 'pg';
import { PosternError } from '../lib/errors.ts';
import type { Lane } from './open.ts';
import { TYPES } from './types.ts';

/** Longest wait for the one connection; then the caller gets `database_unavailable`. */
const TURN_TIMEOUT_MS = 5_000;
/** Waiting turns per lane; beyond it, `database_unavailable` at once. */
const MAX_WAITING = 2_000;

interface Turn {
  readonly start: () => void;
  readonly timer: NodeJS.Timeout;
}

type Done = (error: Error | undefined, client: pg.PoolClient | undefined, release: (error?: unknown) => void) => void;

/** Queries go before searches, except on each so many turns of both. */
const SEARCH_EVERY = 4;

/**
 * The one connection to the embedded database, given out in turns. After each append one other turn may go, so a busy
 * log starves nobody, and an append waits for one turn at most.
 */
export class LanePool extends pg.Pool {
  readonly #waiting: Record<Lane, Turn[]> = { append: [], query: [], search: [] };
  #busy = false;
  #last: Lane = 'search';
  /** Turns given to queries and searches. */
  #others = 0;

  constructor(address: { host: string; port: number }) {
    super({
      ...address,
      user: 'postgres',
      database: 'postgres',
      max: 1,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: TURN_TIMEOUT_MS,
      // The embedded database cannot cancel a statement; this frees the caller and replaces the connection.
      query_timeout: 30_000,
      types: TYPES,
      // The pool waits for it, though its type does not say so.
      onConnect: startAnew as (client: pg.ClientBase) => void,
    });
    // pg removes a broken client after this event: take the next turn when it has.
    this.on('release', () => queueMicrotask(() => this.#next()));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(receive: Done): void;
  override connect(receive?: Done): Promise<pg.PoolClient> | undefined {
    const client = this.connectIn('query');
    if (!receive) return client;
    client.then(
      (given) => receive(undefined, given, (error) => given.release(error as Error | undefined)),
      (error: Error) => receive(error, undefined, () => undefined),
    );
    return undefined;
  }

  async connectIn(lane: Lane): Promise<pg.PoolClient> {
    await this.#turn(lane);
    this.#last = lane;
    try {
      return await super.connect();
    } catch (cause) {
      this.#next();
      throw new PosternError('database_unavailable', 'The embedded database does not answer.', { cause });
    }
  }

  #turn(lane: Lane): Promise<void> {
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve();
    }
    const queue = this.#waiting[lane];
    if (queue.length >= MAX_WAITING) {
      return Promise.reject(new PosternError('database_unavailable', 'Too much waits for the embedded database.'));
    }
    return new Promise((resolve, reject) => {
      const turn: Turn = {
        start: resolve,
        timer: setTimeout(() => {
          queue.splice(queue.indexOf(turn), 1);
          reject(new PosternError('database_unavailable', `The embedded database was busy for ${TURN_TIMEOUT_MS} ms.`));
        }, TURN_TIMEOUT_MS),
      };
      queue.push(turn);
    });
  }

  #next(): void {
    const { append, query, search } = this.#waiting;
    const others = (this.#others + 1) % SEARCH_EVERY === 0 ? [search, query] : [query, search];
    const order = this.#last === 'append' ? [...others, append] : [append, ...others];
    const queue = order.find((each) => each.length > 0);
    if (queue && queue !== append) this.#others += 1;
    const turn = queue?.shift();
    if (!turn) {
      this.#busy = false;
      return;
    }
    clearTimeout(turn.timer);
    turn.start();
  }
}

/**
 * All connections share one session: take nothing over from one that broke, be it a transaction, a setting, a prepared
 * statement or an advisory lock.
 */
async function startAnew(client: pg.ClientBase): Promise<void> {
  await client.query('ROLLBACK');
  await client.query('DISCARD ALL');
  // Until its statistics are there, the planner would collect and sort the whole log to find a thousand of its rows.
  await client.query('SET enable_bitmapscan = off');
}
