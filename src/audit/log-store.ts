/** What the audit log asks of its database. */
export interface LogStore {
  /** Bound of one `commit` and one `raiseEpoch`. */
  readonly commitTimeoutMs: number;
  /** Makes `writer` the one that writes to this log, creating it if need be. Others are fenced from now on. */
  takeOver(logId: string, writer: string): Promise<LogHead>;
  /** One more than the index of the last record. */
  countRecords(number: number): Promise<number>;
  /** Raises the epoch on a connection of its own, so that a commit still under way fails; undefined when fenced. */
  raiseEpoch(logId: string, writer: string): Promise<LogHead | undefined>;
  /** Moves the head and inserts the rows, in one statement. False: the head was not where it was expected, nothing done. */
  commit(batch: LogBatch): Promise<boolean>;
  listLogs(): Promise<{ log: string; size: number }[]>;
  writeFacts(hash: Buffer, salt: Buffer, body: string): Promise<void>;
}

export interface LogHead {
  /** Short name of the log in this database. */
  readonly number: number;
  readonly size: number;
  readonly root: Buffer;
  readonly frontier: Buffer;
  readonly epoch: number;
}

export interface LogBatch {
  readonly number: number;
  readonly epoch: number;
  readonly oldSize: number;
  /** `rows.length` more than `oldSize`, with the root and frontier that follow from them. */
  readonly newSize: number;
  readonly root: Buffer;
  readonly frontier: Buffer;
  readonly rows: readonly LogRow[];
}

interface LogRow {
  readonly ref: string;
  readonly leaf: string;
  readonly leafHash: Buffer;
  readonly salt: Buffer | undefined;
  readonly personal: string | undefined;
}
