import type { AuditEntry, AuditFilter, AuditLeaf, AuditPage } from '../domain/audit-search.ts';
import { PosternError } from '../lib/errors.ts';
import { UUID } from '../lib/id.ts';
import { compileFilter, uuidAt } from './audit-filter.ts';
import type { Store } from './open.ts';
import { runOnce } from './run-once.ts';

/** Entries of one page. */
const MAX_PAGE = 200;
/** Rows looked at by one search; then it returns what it has and where to go on. */
const MAX_SCANNED_ROWS = 200_000;
/** One statement holds the embedded database for about this long, so that appends hardly wait. */
const SLICE_MS = 15;
const FIRST_SLICE_ROWS = 1_000;
const MAX_SLICE_ROWS = 20_000;
const NEWEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface SearchOptions {
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

interface Found {
  readonly ref: string;
  readonly leaf: string;
  readonly leaf_hash: Buffer;
  readonly personal: string | null;
}

/** Newest first over all logs, with the facts and the outcome of each entry. Outcomes are not entries of their own. */
export async function searchAudit(store: Store, filter: AuditFilter, options: SearchOptions = {}): Promise<AuditPage> {
  const limit = Math.min(options.limit ?? 50, MAX_PAGE);
  const oldest = filter.since === undefined ? '00000000-0000-0000-0000-000000000000' : uuidAt(filter.since);
  const newest = filter.until === undefined ? NEWEST : uuidAt(filter.until);
  if (options.after !== undefined && !UUID.test(options.after)) {
    throw new PosternError('request_invalid', 'The place to go on from is not one that a search gave.');
  }
  for (const id of filter.fields.id ?? []) {
    if (!UUID.test(id)) throw new PosternError('request_invalid', 'A reference id is a UUID, 36 characters.');
  }
  let below = options.after !== undefined && options.after < newest ? options.after : newest;

  const found: Found[] = [];
  let sliceRows = FIRST_SLICE_ROWS;
  let next: string | undefined = below;
  for (
    let scanned = 0;
    next !== undefined && found.length < limit && scanned < MAX_SCANNED_ROWS;
    scanned += sliceRows
  ) {
    options.signal?.throwIfAborted();
    const slice: Slice = await readSlice(store, filter, {
      below,
      oldest,
      rows: sliceRows,
      limit: limit - found.length,
    });
    found.push(...slice.found);
    const last = slice.found.at(-1);
    next = found.length === limit && last ? last.ref : slice.floor;
    below = next ?? below;
    const factor = SLICE_MS / Math.max(1, slice.tookMs);
    sliceRows = Math.round(Math.min(MAX_SLICE_ROWS, Math.max(100, sliceRows * Math.min(2, factor))));
  }
  return { entries: await complete(store, found), ...(next === undefined ? {} : { next }) };
}

interface Slice {
  readonly found: Found[];
  /** Ref down to which everything was looked at; undefined when nothing older is left. */
  readonly floor: string | undefined;
  /** How long it held its connection. */
  readonly tookMs: number;
}

async function readSlice(
  store: Store,
  filter: AuditFilter,
  range: { below: string; oldest: string; rows: number; limit: number },
): Promise<Slice> {
  const condition = compileFilter(filter, 5);
  // Ids are looked up, not scanned for.
  const floor = filter.fields.id
    ? 'SELECT NULL::uuid AS ref WHERE $3::bigint IS NULL'
    : 'SELECT ref FROM audit_record WHERE ref < $1::uuid AND ref >= $2::uuid ORDER BY ref DESC OFFSET $3 LIMIT 1';
  // The floor is found first, on the index alone, so that rows of one ref never fall into two slices.
  const text = `
    WITH floor AS MATERIALIZED (${floor}), found AS (
      SELECT ref, leaf, leaf_hash, personal FROM audit_record
      WHERE ref < $1::uuid AND ref >= coalesce((SELECT ref FROM floor), $2::uuid) AND ${condition.text}
      ORDER BY ref DESC LIMIT $4
    )
    SELECT (SELECT ref FROM floor) AS floor, found.* FROM (SELECT 1) one LEFT JOIN found ON true ORDER BY found.ref DESC`;
  const { rows, tookMs } = await runSearch<Partial<Found> & { floor: string | null }>(store, text, [
    range.below,
    range.oldest,
    range.rows - 1,
    range.limit,
    ...condition.values,
  ]);
  const found = rows.filter((row): row is Found & { floor: string | null } => typeof row.ref === 'string');
  return { found, floor: rows[0]?.floor ?? undefined, tookMs };
}

async function complete(store: Store, found: readonly Found[]): Promise<AuditEntry[]> {
  if (found.length === 0) return [];
  const leaves = found.map((row) => JSON.parse(row.leaf) as AuditLeaf);
  const facts = [...new Set(leaves.flatMap((leaf) => (leaf.facts === undefined ? [] : [leaf.facts])))];
  const { rows: outcomeRows } = await runSearch<{ ref: string; leaf: string }>(
    store,
    `SELECT ref, leaf FROM audit_record WHERE ref = ANY($1::uuid[]) AND strpos(leaf, '"kind":"access.outcome"') > 0`,
    [found.map((row) => row.ref)],
  );
  const { rows: factRows } = await runSearch<{ hash: string; body: string }>(
    store,
    `SELECT encode(hash, 'hex') AS hash, body FROM audit_fact WHERE hash = ANY($1::bytea[]) AND body IS NOT NULL`,
    [facts.map((hash) => Buffer.from(hash, 'hex'))],
  );
  const outcomes = new Map(outcomeRows.map((row) => [row.ref, row.leaf]));
  const bodies = new Map(factRows.map((row) => [row.hash, row.body]));
  return found.map((row, at) => {
    const leaf = leaves[at] as AuditLeaf;
    const [outcome, body] = [outcomes.get(row.ref), bodies.get(leaf.facts ?? '')];
    return {
      leaf,
      leafHash: row.leaf_hash.toString('hex'),
      ...(row.personal === null ? {} : { personal: JSON.parse(row.personal) as NonNullable<AuditEntry['personal']> }),
      ...(body === undefined ? {} : { facts: JSON.parse(body) as NonNullable<AuditEntry['facts']> }),
      ...(outcome === undefined ? {} : { outcome: JSON.parse(outcome) as NonNullable<AuditEntry['outcome']> }),
    };
  });
}

async function runSearch<R extends object>(
  store: Store,
  text: string,
  values: readonly unknown[],
): Promise<{ rows: R[]; tookMs: number }> {
  const client = await store.connect('search');
  const startedAt = performance.now();
  const rows = await runOnce<R>(client, { text, values: [...values] });
  return { rows, tookMs: performance.now() - startedAt };
}
