import type pg from 'pg';
import { PosternError } from '../lib/errors.ts';

export const REQUIRED_ON = ['fsync', 'synchronous_commit', 'full_page_writes'];

/** A server that may forget what it acknowledged cannot hold a log that access depends on. */
export async function refuseUnsafe(pool: pg.Pool): Promise<void> {
  const { rows } = await pool
    .query<{ name: string; setting: string }>('SELECT name, setting FROM pg_settings WHERE name = ANY($1)', [
      REQUIRED_ON,
    ])
    .catch((cause: unknown) => {
      throw new PosternError(
        'database_unavailable',
        'The database does not answer. Check database.url and the server.',
        {
          cause,
        },
      );
    });
  const off = rows.filter((row) => row.setting === 'off').map((row) => row.name);
  if (off.length > 0) {
    throw new PosternError(
      'database_unsafe',
      `The database runs with ${off.join(', ')} = off and can lose acknowledged audit records. Turn it on in postgresql.conf (or for this role) and start again.`,
    );
  }
}
