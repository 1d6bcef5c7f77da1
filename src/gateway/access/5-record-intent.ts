import type { AccessIntent, PersonalBlock, Recorded } from '../../domain/audit-event.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity } from '../../domain/session.ts';
import type { Door } from '../door.ts';
import type { TargetStream } from '../target/target-stream.ts';
import type { RequestHead } from './1-read.ts';
import { isAnonymous } from './anonymous.ts';
import { recordedQuery } from './recorded-query.ts';

/** A person who is denied a thousand times a second writes records all the same; they stay small. */
const MAX_USER_AGENT = 512;

/** Step 5. Resolves when the record is durable; rejects within the log's bound, and then nothing may be forwarded. */
export function recordIntent(
  door: Door,
  id: string,
  head: RequestHead,
  resource: Resource,
  identity: Identity,
  decision: Decision,
  stream: TargetStream | undefined,
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
    access: head.websocket === undefined ? 'http' : 'websocket',
    via: identity.via,
    resource: resource.name,
    method: head.method,
    host: head.host,
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

function personalBlock(door: Door, head: RequestHead, resource: Resource, identity: Identity): PersonalBlock {
  const { issuer, subject, email, name } = identity.session.principal;
  const known = !isAnonymous(identity);
  return {
    issuer: known ? issuer : undefined,
    subject: known ? subject : undefined,
    email,
    name,
    address: head.address,
    userAgent: head.userAgent?.slice(0, MAX_USER_AGENT),
    path: head.path.raw,
    query: recordedQuery(head.path.query, resource.recordedQuery, door.queryKey),
  };
}
