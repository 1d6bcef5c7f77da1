import type { Decision } from '../../domain/decision.ts';
import type { LeaseWish } from '../../domain/lease.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity, Session } from '../../domain/session.ts';
import { sortableId } from '../../lib/id.ts';
import { type ConnectionHead, readConnection } from '../access/1-read-connection.ts';
import { resolveResource } from '../access/2-resolve.ts';
import { readIdentity } from '../access/3-identify.ts';
import { decide } from '../access/4-decide.ts';
import { recordIntent } from '../access/5-record-intent.ts';
import { deniedRefusal } from '../answer/denied.ts';
import { AUDIT_UNAVAILABLE, NO_RESOURCE, type Refusal, SESSION_ENDED, TOO_MANY_REQUESTS } from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import type { ConnectionClient } from './connection.ts';

/** Why no port is leased; `reference` finds the record of a denial. */
export interface LeaseRefusal {
  readonly refusal: Refusal;
  readonly reference?: string;
}

export interface AllowedLease {
  readonly client: ConnectionClient;
  readonly head: ConnectionHead;
  readonly resource: Resource;
  /** As whom they asked. */
  readonly identity: Identity;
  readonly decision: Decision;
}

/** Steps 1 to 4 of the door, as each connection to the port will pass them; a denial is recorded. */
export async function decideLease(door: Door, wish: LeaseWish): Promise<AllowedLease | LeaseRefusal> {
  const { ports } = door;
  const { presented, address, userAgent } = wish;
  const credential = { via: 'address', text: presented.hash, audience: presented.audience } as const;
  const client = { credential, address, userAgent };
  const head = readConnection(wish.resource, client);
  const known = await readIdentity(ports, credential);
  if (known === undefined) return { refusal: SESSION_ENDED };
  const { session } = known;
  if (!door.personRate.admits(session.principal.id)) return { refusal: TOO_MANY_REQUESTS };
  const snapshot = ports.snapshot();
  const resource = resolveResource(snapshot, head);
  if (resource === undefined) return { refusal: NO_RESOURCE };
  const identity = { session, via: wish.via };
  const decision = decide(snapshot, session, resource, head);
  if (decision.effect === 'allow') return { client, head, resource, identity, decision };

  const reference = sortableId(door.clock());
  try {
    await recordIntent(door, reference, head, resource, identity, decision, undefined);
  } catch {
    return { refusal: AUDIT_UNAVAILABLE, reference };
  }
  return { refusal: deniedRefusal(decision, resource, session.principal, ports.relay), reference };
}

/** Would it be allowed as things are now? */
export function stillAllows(door: Door, client: ConnectionClient, resource: string, session: Session): boolean {
  const snapshot = door.ports.snapshot();
  const head = readConnection(resource, client);
  const found = resolveResource(snapshot, head);
  return found !== undefined && decide(snapshot, session, found, head).effect === 'allow';
}
