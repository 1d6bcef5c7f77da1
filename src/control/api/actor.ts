import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/audit-event/event-base.ts';
import { callerOf } from '../caller.ts';
import { personOf } from '../permission.ts';

/** Who did it, as every record of what a person does through the API says it. */
export function actorOf(request: FastifyRequest): Actor {
  const { session } = personOf(request);
  const { id, issuer, subject, email, name, groups } = session.principal;
  const personal = { issuer, subject, email, name, groups, ...callerOf(request) };
  return { principal: id, session: session.id, facts: session.factsHash, personal };
}
