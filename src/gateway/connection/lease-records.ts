import type { LeaseEnded, LeaseOpened } from '../../domain/audit-event/lease.ts';
import type { Decision } from '../../domain/decision.ts';
import type { LeaseEnd } from '../../domain/lease.ts';
import { sortableId } from '../../lib/id.ts';
import type { Lease } from './lease.ts';

export function openedRecord({ terms, session }: Lease, port: number, decision: Decision): LeaseOpened {
  const { id, openedAt, personal, resource, connections, expiresAt } = terms;
  return {
    kind: 'lease.opened',
    id,
    at: openedAt,
    principal: session.principal.id,
    session: session.id,
    facts: session.factsHash,
    personal,
    resource,
    port,
    connections,
    expiresAt,
    rule: decision.rule,
    policyVersion: decision.policyVersion,
  };
}

export function endedRecord({ terms, session, begun, endedBy }: Lease, reason: LeaseEnd, at: number): LeaseEnded {
  const { id, personal, resource } = terms;
  return {
    kind: 'lease.ended',
    id: sortableId(at),
    at,
    principal: session.principal.id,
    session: session.id,
    personal,
    lease: id,
    resource,
    reason,
    begun,
    by: endedBy,
  };
}
