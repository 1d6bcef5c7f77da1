import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/audit-event.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { personOf } from '../permission.ts';

const MAX_USER_AGENT = 512;

/** Who did it, as every record of what a person does through the API says it. */
export function actorOf(request: FastifyRequest): Actor {
  const { session } = personOf(request);
  const { id, issuer, subject, email, name, groups } = session.principal;
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT);
  const address = clientAddress(request.raw);
  const personal = { issuer, subject, email, name, groups, address, userAgent };
  return { principal: id, session: session.id, facts: session.factsHash, personal };
}
