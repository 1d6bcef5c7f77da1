import { randomUUID } from 'node:crypto';
import type { AuditAppender } from '../domain/audit-event.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { sortableId } from '../lib/id.ts';
import type { Logger } from '../lib/log.ts';
import { GroupAppender, tampered } from './appender.ts';
import { canonical } from './canonical.ts';
import type { LogState } from './checkpoints.ts';
import type { LogStore } from './log-store.ts';
import { nextSalt, saltedHash } from './record.ts';

export interface AuditLog extends AuditAppender, AsyncDisposable {
  readonly id: string;
  /** Records so far. */
  readonly size: number;
  /** The durable tree as it is now. */
  state(): LogState;
  /** Events that wait to be written. */
  readonly waiting: number;
  /** Aborts, with the error, when this process may not write to the log any more; it never may again. */
  readonly closed: AbortSignal;
  /** Stores what decisions will rely on; resolves to the hex hash by which records refer to it. */
  recordFacts(body: object): Promise<string>;
}

/** Opens the log of this relay as its only writer, and records that. An earlier writer is fenced. */
export async function openLog(
  store: LogStore,
  relayId: string,
  log: Logger,
  clock: Clock = systemClock,
): Promise<AuditLog> {
  const writer = randomUUID();
  const head = await store.takeOver(relayId, writer);
  if ((await store.countRecords(head.number)) !== head.size) throw tampered(relayId);
  const appender = new GroupAppender({ store, logId: relayId, writer, head, log });
  const logs = (await store.listLogs()).filter((other) => other.log !== relayId);
  await appender.append({
    kind: 'log.opened',
    id: sortableId(),
    at: clock(),
    relay: relayId,
    epoch: head.epoch,
    logs,
  });
  return {
    id: relayId,
    get size() {
      return appender.size;
    },
    get waiting() {
      return appender.waiting;
    },
    closed: appender.closed,
    state: () => appender.state(),
    append: (event) => appender.append(event),
    async recordFacts(body) {
      const [salt, text] = [nextSalt(), canonical(body)];
      const hash = saltedHash(salt, text);
      await store.writeFacts(Buffer.from(hash, 'hex'), salt, text);
      return hash;
    },
    [Symbol.asyncDispose]: () => appender[Symbol.asyncDispose](),
  };
}
