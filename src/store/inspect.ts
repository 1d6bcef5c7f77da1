import pg from 'pg';
import type { Secret } from '../lib/secret.ts';
import { REQUIRED_ON } from './unsafe.ts';

const CONNECT_MS = 5_000;
const QUERY_MS = 5_000;

export interface InspectedDatabase {
  readonly version: string;
  readonly user: string;
  /** Settings without which acknowledged records can be lost. */
  readonly off: readonly string[];
  readonly readOnly: boolean;
  /** May create tables where ours go. */
  readonly mayCreate: boolean;
}

/** Looks, and changes nothing. Rejects with what the driver says. */
export async function inspectDatabase(url: Secret): Promise<InspectedDatabase> {
  const client = new pg.Client({
    connectionString: url.reveal(),
    application_name: 'postern check',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: QUERY_MS,
    query_timeout: QUERY_MS,
  });
  // Losses are seen by the query that meets them.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<InspectedDatabase>(
      `SELECT current_setting('server_version') AS version, current_user AS user,
              ARRAY(SELECT name FROM pg_settings WHERE name = ANY($1) AND setting = 'off') AS off,
              pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly",
              coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "mayCreate"`,
      [REQUIRED_ON],
    );
    const [row] = rows;
    if (!row) throw new Error('it answered nothing');
    return row;
  } finally {
    await client.end().catch(() => undefined);
  }
}
