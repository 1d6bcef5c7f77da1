import { type Command, InvalidArgumentError } from 'commander';
import { fetchCheckpoint } from '../client/audit-checkpoint.ts';
import { type FoundRecord, searchAudit } from '../client/audit-search.ts';
import { loadCredential } from '../client/credentials.ts';
import { addVerifyCommand } from './audit-verify.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { stopSignal } from './until-signal.ts';

interface SearchOptions {
  json?: true;
  limit: number;
  relay?: string;
}

export function addAuditCommand(program: Command): void {
  const audit = program
    .command('audit')
    .summary('search and verify the audit log')
    .description('Reads the audit log of a relay.');
  audit
    .command('search')
    .description('Finds records, newest first. Auditors, security people and admins may.')
    .argument('[query]', 'in the search language, e.g. "who:eve@example.com effect:deny"; without it, everything', '')
    .option('--json', 'a JSON array with every field of each record, one record per line')
    .option('--limit <n>', 'at most so many records', parseLimit, 100)
    .option('--relay <url>', 'the relay, if not the one you signed in at last', parseRelayOrigin)
    .action(async (query: string, { json, limit, relay }: SearchOptions) => {
      const found = await searchAudit(loadCredential(relay), { query, limit, signal: stopSignal() });
      process.stdout.write(json ? asJson(found) : asLines(found));
    });
  audit
    .command('checkpoint')
    .description(
      'Prints what the log is now, signed by the relay. Keep it elsewhere: `audit verify --checkpoint` tells later whether anything before it was changed or cut off.',
    )
    .option('--key', 'print the verifier of its signature instead')
    .option('--relay <url>', 'the relay, if not the one you signed in at last', parseRelayOrigin)
    .action(async ({ key, relay }: { key?: true; relay?: string }) => {
      const fetched = await fetchCheckpoint(loadCredential(relay), stopSignal());
      process.stdout.write(key ? `${fetched.key}\n` : fetched.checkpoint);
    });
  addVerifyCommand(audit);
}

/** Facts (groups as used, how and when signed in) in full. One JSON document that is also one record per line, so both parsers and grep can read it. */
function asJson(found: readonly FoundRecord[]): string {
  const records = found.map(({ event: { facts: factsHash, ...event }, row, facts, outcome, recorded }) =>
    JSON.stringify({ ...event, factsHash, facts, summary: row.summary, outcome, recorded }),
  );
  return `[${records.map((record) => `\n${record}`).join(',')}\n]\n`;
}

function asLines(found: readonly FoundRecord[]): string {
  return found
    .map(({ row }) => {
      const who = row.person?.email ?? row.person?.name ?? '-';
      const line = [new Date(row.at).toISOString(), who, row.summary, row.id].join('  ');
      // What strangers sent must not steer the terminal.
      return `${line.replace(/\p{Cc}/gu, '\uFFFD')}\n`;
    })
    .join('');
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 10_000)
    throw new InvalidArgumentError('A number from 1 to 10000.');
  return limit;
}
