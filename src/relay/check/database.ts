import type { RelayConfig } from '../../config/relay-config.ts';
import { messageOf } from '../../lib/errors.ts';
import { inspectDatabase } from '../../store/inspect.ts';
import { type Finding, right, wrong } from './finding.ts';

/** PostgreSQL: reachable, writable, ours to change, and not one that loses what it acknowledged. */
export async function checkDatabase({ databaseUrl, dataDir }: RelayConfig): Promise<Finding[]> {
  if (!databaseUrl) return [right(`embedded, in ${dataDir} (for one relay; a power cut may lose the last moments)`)];
  let found: Awaited<ReturnType<typeof inspectDatabase>>;
  try {
    found = await inspectDatabase(databaseUrl);
  } catch (error) {
    return [
      wrong(
        `it does not answer: ${messageOf(error)}`,
        'Check database.url (host, port, database, user, password) and pg_hba.conf.',
      ),
    ];
  }
  const findings = [right(`PostgreSQL ${found.version} answers as ${found.user}`)];
  findings.push(
    found.off.length === 0
      ? right('it keeps what it acknowledged')
      : wrong(
          `it runs with ${found.off.join(', ')} = off and can lose acknowledged records`,
          `Turn ${found.off.length === 1 ? 'it' : 'them'} on in postgresql.conf (or for this role): the relay refuses to start otherwise.`,
        ),
  );
  findings.push(
    found.readOnly
      ? wrong('it is read-only (a standby?)', 'Point database.url to the primary server.')
      : right('it can be written'),
  );
  findings.push(
    found.mayCreate
      ? right('this user may create the tables')
      : wrong(
          `${found.user} may not create tables in it`,
          `As its owner: GRANT CREATE, USAGE ON SCHEMA public TO "${found.user}"; or make ${found.user} the owner of the database.`,
        ),
  );
  return findings;
}
