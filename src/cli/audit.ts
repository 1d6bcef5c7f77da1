import { type Command, InvalidArgumentError } from 'commander';
import { fetchCheckpoint } from '../client/audit-checkpoint.ts';
import { type FoundRecord, searchAudit } from '../client/audit-search.ts';
import { loadCredential } from '../client/credentials.ts';
import { type DataOptions, dataOptions } from './at-relay.ts';
import { auditLines } from './audit-text.ts';
import { addVerifyCommand } from './audit-verify.ts';
import { printList, printOne } from './output.ts';
import { stopSignal } from './until-signal.ts';

interface SearchOptions extends DataOptions {
  limit: number;
}

export function addAuditCommand(program: Command): void {
  const audit = program
    .command('audit')
    .summary('search and verify the audit log')
    .description('Reads the audit log of a relay.');
  dataOptions(audit.command('search'))
    .description('Finds records, newest first. Auditors, security people and admins may.')
    .argument('[query]', 'in the search language, e.g. "who:eve@example.com effect:deny"; without it, everything', '')
    .option('--limit <n>', 'at most so many records', parseLimit, 100)
    .action(async (query: string, { output, limit, ...at }: SearchOptions) => {
      const found = await searchAudit(loadCredential(at), { query, limit, signal: stopSignal() });
      printList(found.map(everyField), output, () => auditLines(found.map(({ row }) => row)), 'No record matches.');
    });
  dataOptions(audit.command('checkpoint'))
    .description(
      'Prints what the log is now, signed by the relay. Keep it elsewhere: `audit verify --checkpoint` tells later whether anything before it was changed or cut off.',
    )
    .option('--key', 'print the verifier of its signature instead')
    .action(async ({ key, output, ...at }: DataOptions & { key?: true }) => {
      const fetched = await fetchCheckpoint(loadCredential(at), stopSignal());
      printOne(fetched, output, () => (key ? `${fetched.key}\n` : fetched.checkpoint));
    });
  addVerifyCommand(audit);
}

/** With its facts (groups as used, how and when signed in) in full. */
function everyField({ event: { facts: factsHash, ...event }, row, facts, outcome, recorded }: FoundRecord): object {
  return { ...event, factsHash, facts, summary: row.summary, outcome, recorded };
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 10_000)
    throw new InvalidArgumentError('A number from 1 to 10000.');
  return limit;
}
