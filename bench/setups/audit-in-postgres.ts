import pg from 'pg';

const QUERY_MS = 5_000;

export interface AuditInPostgres {
  readonly serverVersion: string;
  /** Records in all logs. */
  readonly size: () => Promise<number>;
}

export async function openAuditInPostgres(stack: AsyncDisposableStack, databaseUrl: string): Promise<AuditInPostgres> {
  const client = new pg.Client({ connectionString: databaseUrl, query_timeout: QUERY_MS });
  await client.connect();
  stack.defer(() => client.end());
  const version = await client.query<{ server_version: string }>('SHOW server_version');
  return {
    serverVersion: version.rows[0]?.server_version.split(' ')[0] ?? 'unknown',
    size: async () => {
      const { rows } = await client.query<{ size: string }>('SELECT coalesce(sum(size), 0) AS size FROM audit_log');
      return Number(rows[0]?.size);
    },
  };
}
