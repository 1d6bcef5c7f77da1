import type { FastifyRequest } from 'fastify';
import { cookieAudience, tokenAudience } from '../../domain/audience.ts';
import type { Presented } from '../../domain/session.ts';
import { readCookie, SESSION_COOKIE } from '../../identity/sign-in/cookies.ts';
import { sha256Hex } from '../../lib/bytes.ts';
import type { Person } from '../ports.ts';

/** What credentials at the relay's own host are for. */
export interface RelayAddress {
  readonly relayHost: string;
  readonly relayOrigin: string;
}

/** By which this person can be identified again, for as long as it opens their session. */
export function presentedIn(
  request: FastifyRequest,
  { token }: Person,
  { relayHost, relayOrigin }: RelayAddress,
): Presented {
  if (token !== undefined) return { hash: token, audience: tokenAudience(relayOrigin) };
  const cookie = readCookie(request.headers.cookie, SESSION_COOKIE) ?? '';
  return { hash: sha256Hex(cookie), audience: cookieAudience(relayHost) };
}
