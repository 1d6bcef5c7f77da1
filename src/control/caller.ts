import type { FastifyRequest } from 'fastify';
import { MAX_USER_AGENT } from '../domain/audit-event/event-base.ts';
import type { Caller } from '../identity/ports.ts';
import { clientAddress } from '../lib/client-address.ts';

/** Where a request comes from, as records say it. */
export function callerOf(request: FastifyRequest): Caller {
  return { address: clientAddress(request.raw), userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) };
}
