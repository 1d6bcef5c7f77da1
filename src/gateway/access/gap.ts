import type { Snapshot } from '../../domain/snapshot.ts';
import { resolveResource } from './2-resolve.ts';
import { readIdentity } from './3-identify.ts';
import { decide } from './4-decide.ts';
import { isAnonymous } from './anonymous.ts';
import type { OpenAccess } from './open-access.ts';

export type GapVerdict = 'go' | 'revoked' | 'identify_again';

/** The synchronous look just before the first byte: between decision and here lie a commit and a queue. */
export function lookInGap(access: OpenAccess): GapVerdict {
  const { ports } = access.door;
  const { sessions } = ports;
  const holds = isAnonymous(access.identity) ? sessions.hasAuthority() : sessions.isCurrent(access.identity.session);
  if (!holds) return 'identify_again';
  const snapshot = ports.snapshot();
  if (snapshot.version === access.snapshotVersion) return 'go';
  return allowedBy(access, snapshot) ? 'go' : 'revoked';
}

/** Decides an access again as it is known now; an allow is remembered with the snapshot's version. */
export function allowedBy(access: OpenAccess, snapshot: Snapshot): boolean {
  const resource = resolveResource(snapshot, access.head);
  const allowed =
    resource !== undefined &&
    resource.name === access.resource.name &&
    resource.agents.includes(access.agent) &&
    decide(snapshot, access.identity.session, resource, access.head).effect === 'allow';
  if (allowed) access.snapshotVersion = snapshot.version;
  return allowed;
}

/** Reads the session anew and decides with it. False: no session any more, or denied. Rejects when sessions cannot be read. */
export async function identifyAgain(access: OpenAccess): Promise<boolean> {
  return (await readAgain(access)) && allowedBy(access, access.door.ports.snapshot());
}

/** Reads the session anew. False: what was presented opens it no more. Rejects when sessions cannot be read. */
export async function readAgain(access: OpenAccess): Promise<boolean> {
  if (isAnonymous(access.identity)) return true;
  const identity = await readIdentity(access.door.ports, access.credential);
  if (identity?.session.id !== access.sessionId) return false;
  access.identity = identity;
  return true;
}
