import { messageOf, PosternError } from '../lib/errors.ts';
import type { Frontier } from '../proof/frontier.ts';
import type { LogBatch } from './log-store.ts';
import { encodeRecord } from './record.ts';
import { refuse, type Waiting } from './waiting.ts';

/** The records of one commit. */
export interface Batch {
  /** Whose events they are, in the order of the rows. */
  readonly accepted: readonly Waiting[];
  readonly rows: LogBatch['rows'];
  /** The log's size before it. */
  readonly first: number;
  /** The log's right edge after it. */
  readonly next: Frontier;
}

/** Encodes events as the log's next records. Refuses those that cannot be one. */
export function encodeBatch(events: readonly Waiting[], logId: string, end: Frontier): Batch {
  const next = end.copy();
  const accepted: Waiting[] = [];
  const rows: LogBatch['rows'][number][] = [];
  for (const waiting of events) {
    try {
      const row = encodeRecord(waiting.event, logId, next.size);
      next.append(row.leafHash);
      rows.push(row);
      accepted.push(waiting);
    } catch (error) {
      refuse([waiting], () => asPostern(error));
    }
  }
  return { accepted, rows, first: end.size, next };
}

function asPostern(error: unknown): PosternError {
  return error instanceof PosternError
    ? error
    : new PosternError('request_invalid', `An audit event cannot be a record: ${messageOf(error)}`, { cause: error });
}
