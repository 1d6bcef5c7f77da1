import { PosternError } from '../lib/errors.ts';
import type { Credential } from './credentials.ts';
import { callRelay } from './relay-api.ts';

/** More rows than any relay keeps of one kind. */
const MAX_ROWS = 100_000;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** What the next page comes after; null on the last. */
  readonly next: string | null;
}

/** Every row of the list at a path of the API. `limit_reached` where it does not come to an end. */
export function listAll<Row>(
  credential: Credential,
  path: string,
  readPage: (answer: unknown) => Page<Row>,
  signal: AbortSignal,
): Promise<Row[]> {
  return allRows(async (after) => {
    const search = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    return readPage(await callRelay({ ...credential, path: path + search, signal }));
  });
}

/** Every row of a list that comes page by page. */
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
