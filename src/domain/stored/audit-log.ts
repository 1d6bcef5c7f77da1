/** An audit log as its verifier reads it. */
export interface StoredHead {
  /** Short name of the log in this database. */
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
  /** With `personal`; null where there is none, or it was erased. */
  readonly salt: Buffer | null;
  readonly personal: string | null;
}

export interface StoredFact {
  /** Hex. */
  readonly hash: string;
  /** With `body`; null once erased. */
  readonly salt: Buffer | null;
  readonly body: string | null;
}

/** The log as it was at a size. */
export interface StoredCheckpoint {
  readonly size: number;
  /** Epoch ms. */
  readonly at: number;
  /** A signed note. */
  readonly note: string;
}
