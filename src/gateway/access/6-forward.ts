import { hasCode, messageOf } from '../../lib/errors.ts';
import { answerRefusal } from '../answer/answer.ts';
import {
  AUTHORITY_UNAVAILABLE,
  GAP_UNSETTLED,
  NO_AGENT,
  TARGET_TIMED_OUT,
  TARGET_UNREACHABLE,
} from '../answer/refusal.ts';
import { type Failure, REVOKED, terminatedFailure } from '../answer/terminated.ts';
import { MAX_ATTEMPTS } from '../limits.ts';
import { TargetAnswer } from '../target/target-answer.ts';
import { targetHeaders } from '../target/target-headers.ts';
import { isAnonymous } from './anonymous.ts';
import { corsHeaders } from './cors.ts';
import { identifyAgain, lookInGap } from './gap.ts';
import type { OpenRequest } from './open-request.ts';

/** Step 6, after the intent is durable. Sends the request on the access's stream and passes the answer on. */
export async function forward(access: OpenRequest): Promise<void> {
  const { door, exchange } = access;
  exchange.res.on('error', ignore);
  exchange.res.once('close', () => clientClosed(access));
  for (let attempt = 1; ; attempt += 1) {
    const unopened = access.stream.connection === undefined ? await open(access) : undefined;
    if (unopened !== undefined) {
      if (!access.ended && attempt < MAX_ATTEMPTS && moveElsewhere(access, unopened)) continue;
      return fail(access, unopened);
    }
    const sent = await send(access);
    if (sent === 'settled') return;
    if (sent !== 'again') return fail(access, sent);
    if (attempt === MAX_ATTEMPTS) return fail(access, { end: 'not_forwarded', refusal: GAP_UNSETTLED });
    access.stream = door.pool.replace(access.stream);
    access.retriedOn = access.stream.name;
  }
}

/** Nothing is awaited between the look in the gap and the first byte. */
async function send(access: OpenRequest): Promise<'settled' | 'again' | Failure> {
  const { ports, pool, log } = access.door;
  try {
    for (let round = 0; round < MAX_ATTEMPTS; round += 1) {
      const { identity, resource, stream } = access;
      // About strangers nothing is asserted.
      const assertion = isAnonymous(identity) ? undefined : await ports.assertions.issue(identity, resource);
      if (access.terminated !== undefined) return terminatedFailure(access.terminated);
      if (access.ended || access.exchange.res.destroyed) {
        access.finish('client_closed');
        pool.giveBack(stream, true);
        return 'settled';
      }
      const verdict = lookInGap(access);
      if (verdict === 'go' && stream.connection !== undefined) {
        return new TargetAnswer(access, stream.connection).send(targetHeaders(access, assertion));
      }
      if (verdict === 'revoked' || !(await identifyAgain(access))) return REVOKED;
    }
    return { end: 'not_forwarded', refusal: GAP_UNSETTLED };
  } catch (error) {
    log?.warn({ intent: access.recorded.id, error: messageOf(error) }, 'authority could not be read in the gap');
    return { end: 'not_forwarded', refusal: AUTHORITY_UNAVAILABLE };
  }
}

async function open(access: OpenRequest): Promise<Failure | undefined> {
  const { stream, resource, recorded, identity } = access;
  const cancel = new AbortController();
  access.stop = () => cancel.abort();
  try {
    const receipt = await access.door.ports.receipts.issue({
      agent: stream.tunnel.agent,
      tunnel: stream.tunnel.id,
      stream: stream.name,
      session: identity.session,
      resource,
      intent: recorded.id,
      leafHash: recorded.leafHash,
    });
    // Where another agent could stand in, nothing is written before this one has reached its target.
    await stream.open(receipt, cancel.signal, resource.agents.length > 1);
    return undefined;
  } catch (error) {
    if (access.terminated !== undefined) return terminatedFailure(access.terminated);
    access.door.log?.info({ intent: recorded.id, error: messageOf(error) }, 'a target was not reached');
    if (hasCode(error, 'timeout')) return { end: 'timed_out', refusal: TARGET_TIMED_OUT };
    if (hasCode(error, 'tunnel_closed')) return { end: 'not_forwarded', refusal: NO_AGENT };
    return { end: 'target_unreachable', refusal: TARGET_UNREACHABLE };
  } finally {
    access.stop = undefined;
  }
}

/** To a tunnel of another agent, or a newer one of the same: nothing was sent yet. False: there is none. */
function moveElsewhere(access: OpenRequest, { refusal }: Failure): boolean {
  if (refusal !== TARGET_UNREACHABLE && refusal !== NO_AGENT) return false;
  const { ports, pool } = access.door;
  const tunnel = ports.tunnels.pick(access.resource);
  if (tunnel === undefined || tunnel === access.stream.tunnel) return false;
  access.stream = pool.replace(access.stream, tunnel);
  access.retriedOn = access.stream.name;
  return true;
}

function fail(access: OpenRequest, { end, refusal }: Failure): void {
  const { door, exchange, head } = access;
  door.pool.giveBack(access.stream, end === 'revoked_before_forward');
  if (access.ended) return;
  access.status = undefined;
  access.finish(end);
  answerRefusal(exchange, door.ports.relay, head, refusal, access.recorded.id, corsHeaders(head, access.resource));
}

function clientClosed(access: OpenRequest): void {
  if (access.ended) return;
  const isCompleted = access.exchange.res.writableFinished;
  access.finish(isCompleted ? 'completed' : 'client_closed');
  // A connection that has all of its answer may carry the next.
  if (!isCompleted) access.stop?.();
}

function ignore(): void {}
