import type { Duplex } from 'node:stream';
import { hasCode, messageOf } from '../../lib/errors.ts';
import {
  AUTHORITY_UNAVAILABLE,
  GAP_UNSETTLED,
  NO_AGENT,
  TARGET_TIMED_OUT,
  TARGET_UNREACHABLE,
} from '../answer/refusal.ts';
import { type Failure, REVOKED, terminatedFailure } from '../answer/terminated.ts';
import { join } from '../connection/join.ts';
import { MAX_ATTEMPTS, STREAM_OPEN_MS } from '../limits.ts';
import { dialledText } from './dialled.ts';
import { identifyAgain, lookInGap } from './gap.ts';
import type { OpenConnection } from './open-connection.ts';

interface Reached {
  readonly target: Duplex;
}

/**
 * Step 6 of a connection, after the intent is durable: opens a stream to the target, tells the client, and joins the two.
 * Where an agent cannot reach its target, another agent of the resource is asked: nothing has gone down the stream yet. Not so
 * through a network: the address that was decided and recorded is what this agent found.
 */
export async function forwardConnection(access: OpenConnection): Promise<void> {
  const { stream } = access.connection;
  const gone = () => access.stop?.();
  stream.once('close', gone);
  const reached = await reach(access);
  stream.off('close', gone);
  if ('end' in reached) return fail(access, reached);
  // Cut since the last look: until `join` there was nothing to stop.
  if (isCut(access)) {
    reached.target.destroy();
    return fail(access, cut(access));
  }
  access.connection.accept();
  join(access, reached.target);
}

async function reach(access: OpenConnection): Promise<Reached | Failure> {
  const { door, resource } = access;
  for (let attempt = 1; ; attempt += 1) {
    const reached = (await settleGap(access)) ?? (await open(access));
    if (!('end' in reached)) return stillHeld(access, reached);
    const isFinal = attempt === MAX_ATTEMPTS || access.head.destination !== undefined;
    if (reached.end !== 'target_unreachable' || isFinal) return reached;
    const tunnel = door.ports.tunnels.pick(resource);
    if (tunnel === undefined || tunnel === access.stream.tunnel) return reached;
    access.stream = door.connections.move(access.stream, tunnel);
    access.retriedOn = access.stream.name;
  }
}

async function open(access: OpenConnection): Promise<Reached | Failure> {
  const { stream: place, resource, recorded, identity, door } = access;
  const { tunnel } = place;
  const destination = dialledText(access.head.destination);
  const cancel = new AbortController();
  access.stop = () => cancel.abort();
  const limit = AbortSignal.timeout(STREAM_OPEN_MS);
  try {
    const receipt = await door.ports.receipts.issue({
      agent: tunnel.agent,
      tunnel: tunnel.id,
      stream: place.name,
      session: identity.session,
      resource,
      destination,
      intent: recorded.id,
      leafHash: recorded.leafHash,
    });
    const signal = AbortSignal.any([cancel.signal, limit]);
    return { target: await tunnel.connectStream({ resource: resource.name, destination, receipt, signal }) };
  } catch (error) {
    if (isCut(access)) return cut(access);
    door.log?.info({ intent: recorded.id, error: messageOf(error) }, 'a target was not reached');
    if (limit.aborted || hasCode(error, 'timeout')) return { end: 'timed_out', refusal: TARGET_TIMED_OUT };
    const refusal = hasCode(error, 'tunnel_closed') ? NO_AGENT : TARGET_UNREACHABLE;
    return { end: 'target_unreachable', refusal };
  } finally {
    access.stop = undefined;
  }
}

/** The dial took its time: what was decided must hold at the first byte, too. */
async function stillHeld(access: OpenConnection, reached: Reached): Promise<Reached | Failure> {
  const lost = await settleGap(access);
  if (lost === undefined) return reached;
  reached.target.destroy();
  return lost;
}

/** Undefined while what was decided holds. */
async function settleGap(access: OpenConnection): Promise<Failure | undefined> {
  try {
    for (let round = 0; round < MAX_ATTEMPTS; round += 1) {
      if (isCut(access)) return cut(access);
      const verdict = lookInGap(access);
      if (verdict === 'go') return undefined;
      if (verdict === 'revoked' || !(await identifyAgain(access))) return REVOKED;
    }
    return { end: 'not_forwarded', refusal: GAP_UNSETTLED };
  } catch (error) {
    access.door.log?.warn({ intent: access.intent, error: messageOf(error) }, 'authority could not be read in the gap');
    return { end: 'not_forwarded', refusal: AUTHORITY_UNAVAILABLE };
  }
}

function isCut({ terminated, connection }: OpenConnection): boolean {
  return terminated !== undefined || connection.stream.destroyed;
}

function cut({ terminated }: OpenConnection): Failure {
  if (terminated !== undefined) return terminatedFailure(terminated);
  return { end: 'client_closed', refusal: TARGET_UNREACHABLE };
}

function fail(access: OpenConnection, { end, refusal }: Failure): void {
  access.door.connections.giveBack(access.stream);
  if (access.ended) return;
  access.finish(end);
  access.connection.refuse(refusal, access.intent);
}
