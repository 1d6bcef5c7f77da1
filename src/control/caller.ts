import type { FastifyRequest } from 'fastify';
import type { Caller } from '../identity/ports.ts';
import { clientAddress } from '../lib/client-address.ts';

/** Characters of a user agent that are recorded. */
const MAX_USER_AGENT = 512;

/** Where a request comes from, as records say it. */
export function callerOf(request: FastifyRequest): Caller {
  return { address: clientAddress(request.raw), userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) };
}
