import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { sha256Hex } from '../lib/bytes.ts';
import { messageOf, PosternError } from '../lib/errors.ts';

const DIRECTORY = new URL('../../migrations/', import.meta.url);
const NAME = /^\d{4}_[a-z0-9_]+\.sql$/;
/** Key of the advisory lock that lets one relay migrate while others that start at the same time wait. */
const LOCK = 7_067_001;
/** Longest wait for another relay's migration, and longest single statement. */
const TIMEOUT_MS = 60_000;

/** Applies the migrations that this database has not seen, in order of name. An applied file that has changed is an error. */
export async function migrate(pool: pg.Pool, directory: URL = DIRECTORY): Promise<void> {
  const files = await readMigrations(directory);
  const client = await pool.connect();
  let broken = true;
  try {
    await run(client, `SET statement_timeout = ${TIMEOUT_MS}`);
    await run(client, `SELECT pg_advisory_lock(${LOCK})`);
    await run(
      client,
      'CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await client.query<{ name: string; hash: string }>('SELECT name, hash FROM migration');
    const applied = new Map(rows.map((row) => [row.name, row.hash]));
    for (const file of files) {
      const hash = applied.get(file.name);
      if (hash === undefined) await apply(client, file);
      else if (hash !== file.hash) {
        throw new PosternError(
          'config_invalid',
          `migrations/${file.name} is not what this database was built with. Restore the file; put changes into a new migration.`,
        );
      }
    }
    await run(client, `SELECT pg_advisory_unlock(${LOCK})`);
    await run(client, 'RESET statement_timeout');
    broken = false;
  } finally {
    // A connection that failed on the way may still hold the lock: drop it.
    client.release(broken);
  }
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly hash: string;
}

async function readMigrations(directory: URL): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { name, sql, hash: sha256Hex(sql) };
    }),
  );
}

async function apply(client: pg.PoolClient, file: Migration): Promise<void> {
  await run(client, 'BEGIN');
  try {
    await run(client, file.sql);
    await client.query('INSERT INTO migration (name, hash) VALUES ($1, $2)', [file.name, file.hash]);
    await run(client, 'COMMIT');
  } catch (cause) {
    await run(client, 'ROLLBACK').catch(() => undefined);
    throw new PosternError(
      'database_unavailable',
      `migrations/${file.name} could not be applied (${messageOf(cause)}). The database is as it was before it: put that right and start again.`,
      { cause },
    );
  }
}

function run(client: pg.PoolClient, text: string): Promise<unknown> {
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: TIMEOUT_MS + 1_000 };
  return client.query(query);
}
