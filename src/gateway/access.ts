import type { Recorded } from '../domain/audit-event.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { type RequestHead, readRequest } from './access/1-read.ts';
import { isReserved, resolveResource } from './access/2-resolve.ts';
import { identify } from './access/3-identify.ts';
import { decide } from './access/4-decide.ts';
import { recordIntent } from './access/5-record-intent.ts';
import { forward } from './access/6-forward.ts';
import { anonymous } from './access/anonymous.ts';
import { isTooLarge } from './access/body-limit.ts';
import { preflightHeaders } from './access/cors.ts';
import { OpenAccess } from './access/open-access.ts';
import { refuse, refuseRecorded } from './access/refuse.ts';
import { answerReserved, answerStranger } from './access/stranger.ts';
import { answerPreflight } from './answer/answer.ts';
import { deniedRefusal } from './answer/denied.ts';
import type { Exchange } from './answer/exchange.ts';
import {
  AUDIT_UNAVAILABLE,
  AUTHORITY_UNAVAILABLE,
  BODY_TOO_LARGE,
  isRefusal,
  NO_AGENT,
  POOL_FULL,
  type Refusal,
  SESSION_FULL,
  TOO_MANY_REQUESTS,
} from './answer/refusal.ts';
import type { Door } from './door.ts';

/** The only door: every request and upgrade for a resource passes these steps in this order, or is answered here. Never rejects. */
export async function access(door: Door, exchange: Exchange): Promise<void> {
  let head: RequestHead | undefined;
  try {
    const read = readRequest(exchange.req, exchange.upgrade !== undefined); // 1 read
    if (isRefusal(read)) return refuse(door, exchange, undefined, read, { stranger: 'request_refused' });
    head = read;
    await accessRead(door, exchange, read);
  } catch (error) {
    // A port failed where doubt means deny: sessions cannot be read, or a defect of ours.
    door.log?.error({ error: messageOf(error) }, 'a request was refused because of a failure');
    refuse(door, exchange, head, AUTHORITY_UNAVAILABLE);
  }
}

async function accessRead(door: Door, exchange: Exchange, head: RequestHead): Promise<void> {
  const { ports, pool, live } = door;
  const snapshot = ports.snapshot();
  const resource = resolveResource(snapshot, head); // 2 resolve
  if (isReserved(head)) return answerReserved(door, exchange, head, resource);
  const preflight = preflightHeaders(head, resource);
  if (preflight !== undefined) return answerPreflight(exchange, head, preflight);

  const known = await identify(ports, head, resource); // 3 identify
  if (isRefusal(known)) return refuse(door, exchange, head, known, { stranger: 'request_refused', resource });
  if (resource === undefined) return answerStranger(door, exchange, head, resource);
  const identified = known ?? anonymous(resource, head);
  const { identity } = identified;
  const session = identity.session.id;
  const startedAt = door.clock();
  if (known !== undefined && !door.personRate.admits(identity.session.principal.id)) {
    return refuse(door, exchange, head, TOO_MANY_REQUESTS, { resource });
  }

  const decision = decide(snapshot, identity.session, resource, head); // 4 decide
  const id = sortableId(startedAt);
  if (known === undefined) {
    if (decision.effect === 'deny') return answerStranger(door, exchange, head, resource);
    if (!ports.sessions.hasAuthority()) return refuse(door, exchange, head, AUTHORITY_UNAVAILABLE, { resource });
    if (!door.anonymousGate.admits(head, startedAt)) {
      return refuse(door, exchange, head, TOO_MANY_REQUESTS, { stranger: 'too_many_requests', resource });
    }
  }
  if (decision.effect === 'deny') {
    const refusal = deniedRefusal(decision, resource, identity.session.principal, ports.relay);
    return refuseRecorded(door, exchange, head, { id, resource, identity, decision, refusal, startedAt });
  }
  const refuseAllowed = (refusal: Refusal) =>
    refuseRecorded(door, exchange, head, { id, resource, identity, decision, refusal, startedAt });

  if (isTooLarge(head, resource)) return refuseAllowed(BODY_TOO_LARGE);
  if (live.isFull(session)) return refuseAllowed(SESSION_FULL);
  const tunnel = ports.tunnels.pick(resource);
  if (tunnel === undefined) return refuseAllowed(NO_AGENT);
  const taken = pool.take(session, resource.name, tunnel);
  const stream = taken instanceof Promise ? await taken : taken;
  if (stream === undefined) return refuseAllowed(POOL_FULL);

  let recorded: Recorded;
  try {
    recorded = await recordIntent(door, id, head, resource, identity, decision, stream); // 5 record intent
  } catch (error) {
    door.log?.warn({ intent: id, error: messageOf(error) }, 'an intent was not recorded; nothing was forwarded');
    pool.giveBack(stream, true);
    return refuse(door, exchange, head, AUDIT_UNAVAILABLE, { resource, reference: id });
  }
  const open = new OpenAccess(
    door,
    exchange,
    head,
    resource,
    identified,
    recorded,
    stream,
    snapshot.version,
    startedAt,
  );
  live.add(open);
  try {
    await forward(open); // 6 forward, which ends in 7 record outcome
  } catch (error) {
    pool.giveBack(open.stream, false);
    open.finish('failed');
    throw error;
  }
}
