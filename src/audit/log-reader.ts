/** What verification asks of the database. */
export interface LogReader {
  readHead(logId: string): Promise<StoredHead | undefined>;
  /** In order of index, from `from` on; fewer than `limit` only at the end. */
  readRecords(number: number, from: number, limit: number): Promise<StoredRecord[]>;
  /** By hex hash; those that do not exist are left out. */
  readFacts(hashes: readonly string[]): Promise<StoredFact[]>;
}

export interface StoredHead {
  readonly number: number;
  readonly size: number;
  readonly root: Buffer;
  readonly frontier: Buffer;
  /** Rows of this log, read together with the size. */
  readonly records: number;
}

export interface StoredRecord {
  readonly index: number;
  readonly ref: string;
  readonly leaf: string;
  readonly leafHash: Buffer;
  readonly salt: Buffer | null;
  readonly personal: string | null;
}

export interface StoredFact {
  readonly hash: string;
  readonly salt: Buffer | null;
  readonly body: string | null;
}
