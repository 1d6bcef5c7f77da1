import Type, { type Static, type TNull, type TSchema, type TUnion } from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { parser } from '../lib/schema.ts';

/** More rows than any relay keeps of one kind. */
const MAX_ROWS = 100_000;

/** Relays write null where there is none. */
export function Nullable<T extends TSchema>(schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** Reads one of the relay's answers; `request_invalid` for what is none. */
export function answerParser<T extends TSchema>(schema: T): (answer: unknown) => Static<T> {
  return parser(schema, "The relay's answer", 'request_invalid');
}

/** undefined for what is not JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The sentence for people in an RFC 9457 problem, with its reference; undefined where there is none. */
export function problemText(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { detail, reference } = answer as { detail?: unknown; reference?: unknown };
  if (typeof detail !== 'string' || detail === '') return undefined;
  return printable(typeof reference === 'string' ? `${detail} (reference ${reference})` : detail);
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** What the next page comes after; null on the last. */
  readonly next: string | null;
}

/** Every row of a list that the relay gives page by page. `limit_reached` where it does not come to an end. */
export async function allRows<Row>(pageAfter: (after: string | undefined) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | undefined; rows.length < MAX_ROWS; ) {
    const page = await pageAfter(after);
    for (const row of page.rows) rows.push(row);
    if (page.next === null || page.rows.length === 0) return rows;
    after = page.next;
  }
  throw new PosternError('limit_reached', `The relay lists more than ${MAX_ROWS} and comes to no end.`);
}
