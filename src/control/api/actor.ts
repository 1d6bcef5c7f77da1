import type { FastifyRequest } from 'fastify';
import type { Actor, PersonalBlock } from '../../domain/audit-event.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { personOf } from '../permission.ts';

const MAX_USER_AGENT = 512;

/** Who did it, as every record of what a person does through the API says it. */
export function actorOf(request: FastifyRequest): Actor {
  const { session } = personOf(request);
  const { id, issuer, subject, email, name, groups } = session.principal;
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT);
  const personal: PersonalBlock = {
    issuer,
    subject,
    ...(email === undefined ? {} : { email }),
    ...(name === undefined ? {} : { name }),
    groups,
    address: clientAddress(request.raw),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
  return { principal: id, session: session.id, facts: session.factsHash, personal };
}
