import type pg from 'pg';

/**
 * One statement on a connection that was taken for it, which then goes back. A connection that failed is dropped, so what
 * follows a failure runs on a new one.
 */
export async function runOnce<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  query: pg.QueryConfig,
): Promise<Row[]> {
  let failed = true;
  try {
    const { rows } = await client.query<Row>(query);
    failed = false;
    return rows;
  } finally {
    client.release(failed);
  }
}
