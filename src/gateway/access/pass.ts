import type { Recorded } from '../../domain/audit-event.ts';
import type { Decision } from '../../domain/decision.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { deniedRefusal } from '../answer/denied.ts';
import {
  AUDIT_UNAVAILABLE,
  BODY_TOO_LARGE,
  NO_AGENT,
  type Refusal,
  SESSION_FULL,
  TOO_MANY_REQUESTS,
} from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import { decide } from './4-decide.ts';
import { recordIntent } from './5-record-intent.ts';
import { NOTHING_SENT, recordOutcome } from './7-record-outcome.ts';
import { isAnonymous } from './anonymous.ts';
import type { Approach } from './approach.ts';
import type { Asked } from './asked.ts';
import type { OpenAccess } from './open-access.ts';
import type { StreamPlace } from './stream-place.ts';

/** Steps 4 to 7, the same for every protocol: nothing reaches a target but through here. */
export async function pass<Place extends StreamPlace, Open extends OpenAccess<Place>>(
  door: Door,
  approach: Approach<Place, Open>,
  asked: Asked,
): Promise<void> {
  const { ports, live } = door;
  const { snapshot, resource, identified } = asked;
  const { identity } = identified;
  const { session } = identity;
  const startedAt = door.clock();
  const isStranger = isAnonymous(identity);
  if (!isStranger && !door.personRate.admits(session.principal.id)) {
    return approach.refuse(TOO_MANY_REQUESTS, { resource });
  }

  const unlocated = approach.locate === undefined ? undefined : await approach.locate(asked);
  const decision = decide(snapshot, session, resource, approach.head); // 4 decide
  const id = sortableId(startedAt);
  if (isStranger && !(await approach.admitsStranger(resource, decision, startedAt))) return;
  const refuseRecorded = (refusal: Refusal) =>
    recordAndRefuse(door, approach, asked, { id, decision, refusal, startedAt });
  if (decision.effect === 'deny') {
    const isUnlocated = decision.reasons.includes('destination_unresolved') && unlocated !== undefined;
    return refuseRecorded(isUnlocated ? unlocated : deniedRefusal(decision, resource, session.principal, ports.relay));
  }

  const unfit = approach.unfit(resource);
  if (unfit !== undefined) return refuseRecorded(unfit);
  if (live.isFull(session.id)) return refuseRecorded(SESSION_FULL);
  const tunnel = approach.pick(resource);
  if (tunnel === undefined) return refuseRecorded(NO_AGENT);
  const taken = approach.take(session.id, resource, tunnel);
  const stream = taken instanceof Promise ? await taken : taken;
  if (stream === undefined) return refuseRecorded(approach.full);

  let recorded: Recorded;
  try {
    recorded = await recordIntent(door, id, approach.head, resource, identity, decision, stream); // 5 record intent
  } catch (error) {
    door.log?.warn({ intent: id, error: messageOf(error) }, 'an intent was not recorded; nothing was forwarded');
    approach.giveBack(stream, true);
    return approach.refuse(AUDIT_UNAVAILABLE, { resource, reference: id });
  }
  const open = approach.open({
    resource,
    identified,
    recorded,
    stream,
    snapshotVersion: snapshot.version,
    startedAt,
  });
  live.add(open);
  try {
    await approach.forward(open); // 6 forward, which ends in 7 record outcome
  } catch (error) {
    approach.giveBack(open.stream, false);
    open.finish('failed');
    throw error;
  }
}

interface RefusalFacts {
  readonly id: string;
  readonly decision: Decision;
  readonly refusal: Refusal;
  readonly startedAt: number;
}

/** Refuses someone who is known, so that the reference finds a record: a denial, or an allowed access that went nowhere. */
async function recordAndRefuse<Place extends StreamPlace, Open extends OpenAccess<Place>>(
  door: Door,
  approach: Approach<Place, Open>,
  { resource, identified: { identity } }: Asked,
  { id, decision, refusal, startedAt }: RefusalFacts,
): Promise<void> {
  try {
    await recordIntent(door, id, approach.head, resource, identity, decision, undefined);
  } catch {
    return approach.refuse(AUDIT_UNAVAILABLE, { resource, reference: id });
  }
  if (decision.effect === 'allow') {
    const end = refusal === BODY_TOO_LARGE ? 'body_too_large' : 'not_forwarded';
    recordOutcome(door, { ...NOTHING_SENT, intent: id, identity, resource: resource.name, end, startedAt });
  }
  approach.refuse(refusal, { resource, reference: id });
}
