import pg from 'pg';
import { PosternError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { within } from '../lib/wait.ts';
import { surviveLosses } from './losses.ts';
import type { Lane } from './open.ts';
import { TYPES } from './types.ts';

/** Most connections of one relay; further statements wait up to CONNECT_TIMEOUT_MS and then fail. */
const QUERY_CONNECTIONS = 10;
/** One writes; the others take over the log while it is stuck, and search. */
const APPEND_CONNECTIONS = 3;
const SEARCH_CONNECTIONS = 2;
const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 5_000;
/** A relay that froze inside a transaction must not hold locks that others wait for. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

/** A silent server does not hold up the end of the process. */
const STOP_TIMEOUT_MS = 2_000;

export interface Pools extends AsyncDisposable {
  readonly query: pg.Pool;
  connect(lane: Lane): Promise<pg.PoolClient>;
}

/** Pools to a PostgreSQL server: separate per lane, so that appends never queue behind anything else. */
export function connectPools(url: Secret, commitTimeoutMs: number, log: Logger): Pools {
  const open = (name: string, max: number, timeoutMs: number): pg.Pool => {
    const pool = new pg.Pool({
      connectionString: url.reveal(),
      application_name: `postern ${name}`,
      max,
      connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      // The server gives up first; the client only when the server is silent.
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs + 250,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      keepAlive: true,
      types: TYPES,
    });
    surviveLosses(pool, log);
    return pool;
  };
  const pools: Record<Lane, pg.Pool> = {
    append: open('append', APPEND_CONNECTIONS, commitTimeoutMs),
    query: open('query', QUERY_CONNECTIONS, QUERY_TIMEOUT_MS),
    search: open('search', SEARCH_CONNECTIONS, QUERY_TIMEOUT_MS),
  };
  return {
    query: pools.query,
    async connect(lane) {
      try {
        return await pools[lane].connect();
      } catch (cause) {
        throw new PosternError('database_unavailable', 'The database does not answer.', { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      const ended = Promise.all(Object.values(pools).map((pool) => pool.end()));
      await within(STOP_TIMEOUT_MS, 'Closing the database', ended).catch(() => undefined);
    },
  };
}
