import { type Command, InvalidArgumentError } from 'commander';
import Type, { type Static } from 'typebox';
import { loadCredential } from '../client/credentials.ts';
import { callRelay } from '../client/relay-api.ts';
import { parser } from '../lib/schema.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { stopSignal } from './until-signal.ts';

/** The relay's largest page. */
const PAGE = 200;

interface SearchOptions {
  json?: true;
  limit: number;
  relay?: string;
}

export function addAuditCommand(program: Command): void {
  const audit = program.command('audit').summary('search the audit log').description('Reads the audit log of a relay.');
  audit
    .command('search')
    .description('Finds records, newest first. Auditors, security people and admins may.')
    .argument('[query]', 'in the search language, e.g. "person:eve effect:deny"; without it, everything', '')
    .option('--json', 'a JSON array with every field of each record, one record per line')
    .option('--limit <n>', 'at most so many records', parseLimit, 100)
    .option('--relay <url>', 'the relay, if not the one you signed in at last', parseRelayOrigin)
    .action(async (query: string, options: SearchOptions) => {
      const entries = await search(query, options);
      process.stdout.write(options.json ? asJson(entries) : asLines(entries));
    });
}

async function search(query: string, { limit, relay }: SearchOptions): Promise<Entry[]> {
  const credential = loadCredential(relay);
  const signal = stopSignal();
  const found: Entry[] = [];
  let before: string | null = null;
  do {
    const parameters = new URLSearchParams({ query, limit: String(Math.min(PAGE, limit - found.length)) });
    if (before !== null) parameters.set('before', before);
    const path = `/api/v1/audit/entries?${parameters.toString()}`;
    const page = parsePage(await callRelay({ relay: credential.relay, token: credential.token, path, signal }));
    found.push(...page.entries);
    before = page.next;
  } while (before !== null && found.length < limit);
  return found;
}

const EntryPage = Type.Object({
  entries: Type.Array(
    Type.Object({
      event: Type.Record(Type.String(), Type.Unknown()),
      outcome: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
      recorded: Type.Object({ log: Type.String(), index: Type.Number(), leafHash: Type.String() }),
      row: Type.Object({
        at: Type.Number(),
        id: Type.String(),
        summary: Type.String(),
        person: Type.Union([
          Type.Object({
            name: Type.Union([Type.String(), Type.Null()]),
            email: Type.Union([Type.String(), Type.Null()]),
          }),
          Type.Null(),
        ]),
      }),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()]),
});
type Entry = Static<typeof EntryPage>['entries'][number];

const parsePage = parser(EntryPage, "The relay's answer", 'request_invalid');

/** One JSON document that is also one record per line, so both parsers and grep can read it. */
function asJson(entries: readonly Entry[]): string {
  const records = entries.map(({ event, row, outcome, recorded }) => ({
    ...event,
    summary: row.summary,
    outcome,
    recorded,
  }));
  return `[${records.map((record) => `\n${JSON.stringify(record)}`).join(',')}\n]\n`;
}

function asLines(entries: readonly Entry[]): string {
  return entries
    .map(({ row }) => {
      const who = row.person?.email ?? row.person?.name ?? '-';
      // What strangers sent must not steer the terminal.
      const line = [new Date(row.at).toISOString(), who, row.summary, row.id].join('  ');
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
