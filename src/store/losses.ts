import type pg from 'pg';
import type { Logger } from '../lib/log.ts';

/**
 * A connection that the server ends raises an error event, in use or idle, besides failing its statement; without a
 * listener that would end the process.
 */
export function surviveLosses(pool: pg.Pool, log: Logger): void {
  pool.on('error', (error) => log.warn({ error: error.message }, 'lost an idle database connection'));
  pool.on('connect', (client) => {
    client.on('error', (error) => log.debug({ error: error.message }, 'lost a database connection'));
  });
}
