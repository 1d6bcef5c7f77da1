import { MAX_USER_AGENT, type PersonalBlock } from '../../domain/audit-event/event-base.ts';
import type { AccessIntent, Recorded } from '../../domain/audit-event.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity } from '../../domain/session.ts';
import type { Door } from '../door.ts';
import type { AccessHead } from './1-read-connection.ts';
import { isAnonymous } from './anonymous.ts';
import { dialledText } from './dialled.ts';
import { recordedQuery } from './recorded-query.ts';
import type { StreamPlace } from './stream-place.ts';

/** Step 5. Resolves when the record is durable; rejects within the log's bound, and then nothing may be forwarded. */
export function recordIntent(
  door: Door,
  id: string,
  head: AccessHead,
  resource: Resource,
  identity: Identity,
  decision: Decision,
  stream: StreamPlace | undefined,
): Promise<Recorded> {
  const { principal, session } = namesOf(identity);
  // All members always, so that all intents have one shape: engines read and encode those fastest.
  const event: AccessIntent = {
    kind: 'access.intent',
    id,
    at: door.clock(),
    principal,
    session,
    facts: isAnonymous(identity) ? undefined : identity.session.factsHash,
    personal: personalBlock(door, head, resource, identity),
    access: head.kind,
    via: identity.via,
    resource: resource.name,
    method: head.method,
    host: head.host,
    destination: head.kind === 'tcp' ? dialledText(head.destination) : undefined,
    targetHost: resource.targetHost,
    effect: decision.effect,
    rule: decision.rule,
    reasons: decision.reasons,
    policyVersion: decision.policyVersion,
    agent: stream?.tunnel.agent,
    tunnel: stream?.tunnel.id,
    stream: stream?.name,
    ordinal: stream?.ordinal,
  };
  return door.ports.audit.append(event);
}

/** Whom a record is about; of strangers neither. */
export function namesOf(identity: Identity): { principal?: string; session?: string } {
  if (isAnonymous(identity)) return {};
  return { principal: identity.session.principal.id, session: identity.session.id };
}

export function personalBlock(
  door: Pick<Door, 'queryKey'>,
  head: AccessHead,
  resource: Resource,
  identity: Identity,
): PersonalBlock {
  const { issuer, subject, email, name } = identity.session.principal;
  const known = !isAnonymous(identity);
  return {
    issuer: known ? issuer : undefined,
    subject: known ? subject : undefined,
    email,
    name,
    address: head.address,
    userAgent: head.userAgent?.slice(0, MAX_USER_AGENT),
    path: head.kind === 'tcp' ? undefined : head.path.raw,
    query: recordedQuery(head.path.query, resource.recordedQuery, door.queryKey),
  };
}
