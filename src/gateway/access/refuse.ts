import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity } from '../../domain/session.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { sortableId } from '../../lib/id.ts';
import { answerRefusal } from '../answer/answer.ts';
import type { Exchange } from '../answer/exchange.ts';
import { AUDIT_UNAVAILABLE, BODY_TOO_LARGE, type Refusal } from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import type { RequestHead } from './1-read.ts';
import { recordIntent } from './5-record-intent.ts';
import { NOTHING_SENT, recordOutcome } from './7-record-outcome.ts';
import { corsHeaders } from './cors.ts';

interface RefusalFacts {
  readonly id: string;
  readonly resource: Resource;
  readonly identity: Identity;
  readonly decision: Decision;
  readonly refusal: Refusal;
  readonly startedAt: number;
}

/** Refuses someone who is known, so that the reference finds a record: a denial, or an allowed access that went nowhere. */
export async function refuseRecorded(
  door: Door,
  exchange: Exchange,
  head: RequestHead,
  facts: RefusalFacts,
): Promise<void> {
  const { id, resource, identity, decision, refusal, startedAt } = facts;
  try {
    await recordIntent(door, id, head, resource, identity, decision, undefined);
  } catch {
    return refuse(door, exchange, head, AUDIT_UNAVAILABLE, { resource, reference: id });
  }
  if (decision.effect === 'allow') {
    const end = refusal === BODY_TOO_LARGE ? 'body_too_large' : 'not_forwarded';
    recordOutcome(door, { ...NOTHING_SENT, intent: id, identity, resource: resource.name, end, startedAt });
  }
  refuse(door, exchange, head, refusal, { resource, reference: id });
}

interface RefusalMarks {
  /** Counted as a stranger's, for this reason. */
  readonly stranger?: string;
  readonly reference?: string;
  readonly resource?: Resource | undefined;
}

/** `head` is undefined for what could not be read. */
export function refuse(
  door: Door,
  exchange: Exchange,
  head: RequestHead | undefined,
  refusal: Refusal,
  { stranger, reference = sortableId(), resource }: RefusalMarks = {},
): void {
  if (stranger !== undefined) door.ports.strangers.refused(stranger, clientAddress(exchange.req));
  answerRefusal(exchange, door.ports.relay, head, refusal, reference, corsHeaders(head, resource));
}
