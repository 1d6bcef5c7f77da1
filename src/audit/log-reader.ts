import type { StoredFact, StoredHead, StoredRecord } from '../domain/stored/audit-log.ts';

/** What verification asks of the database. */
export interface LogReader {
  readHead(logId: string): Promise<StoredHead | undefined>;
  /** In order of index, from `from` on; fewer than `limit` only at the end. */
  readRecords(number: number, from: number, limit: number): Promise<StoredRecord[]>;
  /** By hex hash; those that do not exist are left out. */
  readFacts(hashes: readonly string[]): Promise<StoredFact[]>;
}
