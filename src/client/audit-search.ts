import Type, { type Static } from 'typebox';
import type { Credential } from './credentials.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

/** The relay's largest page. */
const PAGE = 200;

/** Records that match, newest first, page by page until `limit`. */
export async function searchAudit(
  credential: Credential,
  { query, limit, signal }: { readonly query: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  let before: string | null = null;
  do {
    const parameters = new URLSearchParams({ query, limit: String(Math.min(PAGE, limit - found.length)) });
    if (before !== null) parameters.set('before', before);
    const path = `/api/v1/audit/entries?${parameters.toString()}`;
    const page = parsePage(await callRelay({ ...credential, path, signal }));
    found.push(...page.entries);
    before = page.next;
  } while (before !== null && found.length < limit);
  return found;
}

const Fields = Type.Record(Type.String(), Type.Unknown());
const TextOrNull = Nullable(Type.String());

const Page = Type.Object({
  entries: Type.Array(
    Type.Object({
      /** What a list of records shows of this one. */
      row: Type.Object({
        at: Type.Number(),
        id: Type.String(),
        summary: Type.String(),
        person: Nullable(Type.Object({ name: TextOrNull, email: TextOrNull })),
        /** Who acted where it was no person. */
        actor: Type.String(),
        method: TextOrNull,
        effect: TextOrNull,
        end: TextOrNull,
        status: Nullable(Type.Number()),
      }),
      event: Fields,
      /** What the decision relied on. */
      facts: Nullable(Fields),
      outcome: Nullable(Fields),
      recorded: Type.Object({ log: Type.String(), index: Type.Number(), leafHash: Type.String() }),
    }),
  ),
  next: TextOrNull,
});

export type FoundRecord = Static<typeof Page>['entries'][number];

const parsePage = answerParser(Page);
