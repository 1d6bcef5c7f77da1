import type { StoredRecord } from '../domain/stored/audit-log.ts';
import { PosternError } from '../lib/errors.ts';
import { Frontier } from '../proof/frontier.ts';
import { leafHash } from '../proof/hash.ts';
import type { LogReader } from './log-reader.ts';
import { saltedHash } from './record.ts';

/** Records of one read. */
const PAGE = 1_000;
/** Faults that are listed; the others are only counted. */
const MAX_FAULTS = 100;
/** Hashes of facts remembered as seen; beyond it some are read again. */
const MAX_KNOWN_FACTS = 100_000;

export type FaultKind =
  | 'missing'
  | 'leaf'
  | 'place'
  | 'personal'
  | 'facts'
  | 'extra'
  | 'root'
  | 'frontier'
  | 'checkpoint';

export interface Fault {
  readonly kind: FaultKind;
  /** The record at which it shows, or the size of the checkpoint; absent where the tree as a whole differs. */
  readonly index?: number;
}

export interface Verification {
  readonly log: string;
  readonly size: number;
  /** Hex root as recomputed from the leaves: compare it with a checkpoint kept elsewhere. */
  readonly root: string;
  /** In order of index; empty: what is stored is what was appended. */
  readonly faults: readonly Fault[];
  readonly faultCount: number;
  /** Records whose personal block, and facts, were erased. That is no fault. */
  readonly erased: number;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** What the log once was: it must still begin so. */
  readonly checkpoints?: readonly { readonly size: number; readonly root: Uint8Array }[];
  /** Sizes of checkpoints that are no good. */
  readonly badCheckpoints?: readonly number[];
}

/** Reads a log from its first record to its head and recomputes everything. Rejects with `not_found`. */
export async function verifyLog(reader: LogReader, logId: string, options: VerifyOptions = {}): Promise<Verification> {
  const head = await reader.readHead(logId);
  if (!head)
    throw new PosternError(
      'not_found',
      `There is no audit log ${logId} in this database. It has the id of its relay: relay.id, or name another with --log.`,
    );
  const tally = new Tally();
  const frontier = new Frontier();
  const facts = new FactCheck(reader, tally);
  const past = new PastCheck(options.checkpoints ?? [], tally);
  for (const size of options.badCheckpoints ?? []) tally.add('checkpoint', size);

  let expected = 0;
  past.reach(frontier);
  while (expected < head.size) {
    options.signal?.throwIfAborted();
    const page = await reader.readRecords(head.number, expected, Math.min(PAGE, head.size - expected));
    for (const record of page) {
      if (record.index >= head.size) break;
      for (; expected < record.index; expected += 1) tally.add('missing', expected);
      frontier.append(checkRecord(record, logId, tally, facts));
      past.reach(frontier);
      expected += 1;
    }
    await facts.settle();
    if (page.length === 0) {
      tally.add('missing', expected);
      break;
    }
  }
  past.end();
  if (head.records > head.size) tally.add('extra', head.size);
  if (!frontier.root().equals(head.root)) tally.add('root');
  if (!frontier.encode().equals(head.frontier)) tally.add('frontier');
  return {
    log: logId,
    size: head.size,
    root: frontier.root().toString('hex'),
    faults: tally.faults,
    faultCount: tally.count,
    erased: tally.erased,
  };
}

class Tally {
  readonly faults: Fault[] = [];
  count = 0;
  erased = 0;
  add(kind: FaultKind, index?: number): void {
    this.count += 1;
    if (this.faults.length < MAX_FAULTS) this.faults.push(index === undefined ? { kind } : { kind, index });
  }
}

/** Compares the tree at each size that a checkpoint speaks of. */
class PastCheck {
  readonly #tally: Tally;
  readonly #open: { readonly size: number; readonly root: Uint8Array }[];

  constructor(checkpoints: NonNullable<VerifyOptions['checkpoints']>, tally: Tally) {
    this.#tally = tally;
    this.#open = [...checkpoints].sort((a, b) => b.size - a.size);
  }

  reach(frontier: Frontier): void {
    for (let next = this.#open.at(-1); next?.size === frontier.size; next = this.#open.at(-1)) {
      this.#open.pop();
      if (!frontier.root().equals(next.root)) this.#tally.add('checkpoint', next.size);
    }
  }

  /** What is left speaks of records that are not there. */
  end(): void {
    for (const { size } of this.#open.reverse()) this.#tally.add('checkpoint', size);
  }
}

/** The leaf hash as it follows from the leaf. */
function checkRecord(record: StoredRecord, logId: string, tally: Tally, facts: FactCheck): Buffer {
  const hash = leafHash(record.leaf);
  if (!hash.equals(record.leafHash)) tally.add('leaf', record.index);
  const leaf = parseLeaf(record.leaf);
  const ref = leaf['kind'] === 'access.outcome' ? leaf['intent'] : leaf['id'];
  if (leaf['log'] !== logId || leaf['index'] !== record.index || ref !== record.ref) tally.add('place', record.index);
  if (typeof leaf['facts'] === 'string') facts.want(leaf['facts'], record.index);

  const { salt, personal } = record;
  const erased = salt === null && personal === null;
  if (leaf['personal'] === undefined) {
    if (!erased) tally.add('personal', record.index);
  } else if (erased) {
    tally.erased += 1;
  } else if (!salt || personal === null || saltedHash(salt, personal) !== leaf['personal']) {
    tally.add('personal', record.index);
  }
  return hash;
}

function parseLeaf(text: string): Record<string, unknown> {
  try {
    const leaf: unknown = JSON.parse(text);
    if (typeof leaf === 'object' && leaf !== null) return leaf as Record<string, unknown>;
  } catch {
    // No JSON has no place; the hash has told already.
  }
  return {};
}

/** Looks each set of facts up once, where it is first referred to. */
class FactCheck {
  readonly #reader: LogReader;
  readonly #tally: Tally;
  readonly #known = new Set<string>();
  #wanted = new Map<string, number>();

  constructor(reader: LogReader, tally: Tally) {
    this.#reader = reader;
    this.#tally = tally;
  }

  want(hash: string, index: number): void {
    if (!this.#known.has(hash) && !this.#wanted.has(hash)) this.#wanted.set(hash, index);
  }

  async settle(): Promise<void> {
    if (this.#wanted.size === 0) return;
    const wanted = this.#wanted;
    this.#wanted = new Map();
    const found = new Map((await this.#reader.readFacts([...wanted.keys()])).map((fact) => [fact.hash, fact]));
    if (this.#known.size + wanted.size > MAX_KNOWN_FACTS) this.#known.clear();
    for (const [hash, index] of wanted) {
      this.#known.add(hash);
      const fact = found.get(hash);
      if (fact && fact.salt === null && fact.body === null) this.#tally.erased += 1;
      else if (!fact?.salt || fact.body === null || saltedHash(fact.salt, fact.body) !== hash) {
        this.#tally.add('facts', index);
      }
    }
  }
}
