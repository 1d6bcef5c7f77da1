import type { Session } from '../domain/session.ts';
import type { StoredSession } from '../domain/stored/session.ts';
import { methodOf } from './facts.ts';

/** A stored session as decisions and records use it. */
export function sessionOf(stored: StoredSession): Session {
  return {
    id: stored.id,
    principal: stored.principal,
    factsHash: stored.factsHash,
    signedInAt: stored.signedInAt,
    method: methodOf(stored.principal),
    amr: stored.amr,
    expiresAt: stored.expiresAt,
    epoch: stored.principal.epoch,
    ...(stored.scope === undefined ? {} : { scope: stored.scope }),
  };
}

/** For who presents a credential that ends before its session, the session ends with it: what they have open closes then. */
export function untilEnd(session: Session, credentialExpiresAt: number | undefined): Session {
  return credentialExpiresAt === undefined || credentialExpiresAt >= session.expiresAt
    ? session
    : { ...session, expiresAt: credentialExpiresAt };
}
