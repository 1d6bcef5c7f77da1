import type { Recorded } from '../domain/audit-event.ts';
import { clientAddress } from '../lib/client-address.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { type RequestHead, readRequest } from './access/1-read.ts';
import { isReserved, resolveResource } from './access/2-resolve.ts';
import { identify } from './access/3-identify.ts';
import { decide } from './access/4-decide.ts';
import { recordIntent } from './access/5-record-intent.ts';
import { forward } from './access/6-forward.ts';
import { OpenAccess } from './access/open-access.ts';
import { answerReserved, answerStranger } from './access/stranger.ts';
import { answerRefusal } from './answer/answer.ts';
import { deniedRefusal } from './answer/denied.ts';
import type { Exchange } from './answer/exchange.ts';
import {
  AUDIT_UNAVAILABLE,
  AUTHORITY_UNAVAILABLE,
  isRefusal,
  NO_AGENT,
  POOL_FULL,
  type Refusal,
  SESSION_FULL,
} from './answer/refusal.ts';
import type { Door } from './door.ts';

/** The only door: every request and upgrade for a resource passes these steps in this order, or is answered here. Never rejects. */
export async function access(door: Door, exchange: Exchange): Promise<void> {
  let head: RequestHead | undefined;
  try {
    const read = readRequest(exchange.req, exchange.upgrade !== undefined); // 1 read
    if (isRefusal(read)) return refuse(door, exchange, undefined, read, 'request_refused');
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
  if (isReserved(head)) return answerReserved(door, exchange, head);

  const identified = await identify(ports, head, resource); // 3 identify
  if (isRefusal(identified)) return refuse(door, exchange, head, identified, 'request_refused');
  if (identified === undefined || resource === undefined) return answerStranger(door, exchange, head);
  const { identity } = identified;
  const session = identity.session.id;

  const decision = decide(snapshot, identity.session, resource, head); // 4 decide
  const startedAt = door.clock();
  const id = sortableId(startedAt);
  if (decision.effect === 'deny') {
    try {
      await recordIntent(door, id, head, resource, identity, decision, undefined);
    } catch {
      return refuse(door, exchange, head, AUDIT_UNAVAILABLE, undefined, id);
    }
    return refuse(door, exchange, head, deniedRefusal(decision, resource, ports.relay), undefined, id);
  }

  if (live.isFull(session)) return refuse(door, exchange, head, SESSION_FULL);
  const tunnel = ports.tunnels.pick(resource);
  if (tunnel === undefined) return refuse(door, exchange, head, NO_AGENT);
  const taken = pool.take(session, resource.name, tunnel);
  const stream = taken instanceof Promise ? await taken : taken;
  if (stream === undefined) return refuse(door, exchange, head, POOL_FULL);

  let recorded: Recorded;
  try {
    recorded = await recordIntent(door, id, head, resource, identity, decision, stream); // 5 record intent
  } catch (error) {
    door.log?.warn({ intent: id, error: messageOf(error) }, 'an intent was not recorded; nothing was forwarded');
    pool.giveBack(stream, true);
    return refuse(door, exchange, head, AUDIT_UNAVAILABLE, undefined, id);
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
    pool.giveBack(stream, false);
    open.finish('failed');
    throw error;
  }
}

function refuse(
  door: Door,
  exchange: Exchange,
  head: RequestHead | undefined,
  refusal: Refusal,
  strangerReason?: string,
  reference = sortableId(),
): void {
  if (strangerReason !== undefined)
    door.ports.strangers.refused(strangerReason, clientAddress(exchange.req));
  answerRefusal(exchange, door.ports.relay, head, refusal, reference);
}
