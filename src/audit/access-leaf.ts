import type { AccessIntent, AccessOutcome } from '../domain/audit-event.ts';

/** Fields of a leaf that do not come from the event. */
export interface LeafFrame {
  readonly v: 1;
  readonly log: string;
  readonly index: number;
  /** Hex SHA-256(salt ‖ personal block), in place of the block. */
  readonly personal: string | undefined;
}

/**
 * Every field of the event and the frame: one forgotten here does not compile. Written in canonical order, so that one
 * native call encodes each request's two records, from an object of one shape.
 */
type Leaf<Event> = Record<keyof Event | keyof LeafFrame, unknown>;

export function intentLeaf(event: AccessIntent, frame: LeafFrame): Leaf<AccessIntent> {
  return {
    access: event.access,
    agent: event.agent,
    at: event.at,
    destination: event.destination,
    effect: event.effect,
    facts: event.facts,
    host: event.host,
    id: event.id,
    index: frame.index,
    kind: event.kind,
    log: frame.log,
    method: event.method,
    ordinal: event.ordinal,
    personal: frame.personal,
    policyVersion: event.policyVersion,
    principal: event.principal,
    reasons: event.reasons,
    resource: event.resource,
    rule: event.rule,
    session: event.session,
    stream: event.stream,
    targetHost: event.targetHost,
    tunnel: event.tunnel,
    v: frame.v,
    via: event.via,
  };
}

export function outcomeLeaf(event: AccessOutcome, frame: LeafFrame): Leaf<AccessOutcome> {
  return {
    agent: event.agent,
    at: event.at,
    bytesDown: event.bytesDown,
    bytesUp: event.bytesUp,
    durationMs: event.durationMs,
    end: event.end,
    facts: event.facts,
    id: event.id,
    index: frame.index,
    intent: event.intent,
    kind: event.kind,
    log: frame.log,
    personal: frame.personal,
    principal: event.principal,
    reason: event.reason,
    resource: event.resource,
    retriedOn: event.retriedOn,
    session: event.session,
    status: event.status,
    v: frame.v,
  };
}
