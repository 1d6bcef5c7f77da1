import type { AccessEnd, AccessOutcome } from '../../domain/audit-event.ts';
import type { TerminationReason } from '../../domain/change.ts';
import type { Identity } from '../../domain/session.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import type { Door } from '../door.ts';
import { namesOf } from './5-record-intent.ts';

export interface Ended {
  readonly intent: string;
  readonly identity: Identity;
  readonly resource: string;
  readonly end: AccessEnd;
  readonly reason: TerminationReason | undefined;
  readonly status: number | undefined;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly startedAt: number;
  readonly retriedOn?: string | undefined;
  readonly agent?: string | undefined;
}

/** Of an access that ended before its target. */
export const NOTHING_SENT = { reason: undefined, status: undefined, bytesUp: 0, bytesDown: 0 } as const;

/** Step 7. Nobody waits for it: an intent without outcome means "unknown". */
export function recordOutcome(door: Door, ended: Ended): void {
  const at = door.clock();
  const { principal, session } = namesOf(ended.identity);
  const event: AccessOutcome = {
    kind: 'access.outcome',
    id: sortableId(at),
    at,
    principal,
    session,
    intent: ended.intent,
    resource: ended.resource,
    end: ended.end,
    reason: ended.reason,
    status: ended.status,
    bytesUp: ended.bytesUp,
    bytesDown: ended.bytesDown,
    durationMs: Math.max(0, at - ended.startedAt),
    retriedOn: ended.retriedOn,
    agent: ended.agent,
  };
  door.ports.audit.append(event).catch((error: unknown) => {
    door.log?.warn({ intent: ended.intent, error: messageOf(error) }, 'an outcome was not recorded');
  });
}
