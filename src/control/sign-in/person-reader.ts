import type { FastifyRequest } from 'fastify';
import type { Principal, Role } from '../../domain/principal.ts';
import type { Session } from '../../domain/session.ts';
import type { Sessions } from '../../identity/sessions.ts';
import { readCookie, SESSION_COOKIE } from '../../identity/sign-in/cookies.ts';
import { sha256Hex } from '../../lib/bytes.ts';
import { PosternError } from '../../lib/errors.ts';
import type { PersonReader } from '../ports.ts';
import { refuseForgery } from '../same-origin.ts';

export interface PersonReaderDeps {
  readonly sessions: Pick<Sessions, 'readCookie' | 'readToken'>;
  readonly relayHost: string;
  readonly relayOrigin: string;
  /** Evaluated for each request. */
  roles(principal: Principal): readonly Role[];
}

/** By the relay host's own cookie, or by a token (`Postern-Token`, or `Authorization: Bearer pst_…`). Never by both. */
export function createPersonReader(deps: PersonReaderDeps): PersonReader {
  return {
    async readPerson(request) {
      const found = await readSession(deps, request);
      return found && { ...found, roles: deps.roles(found.session.principal) };
    },
  };
}

async function readSession(
  deps: PersonReaderDeps,
  request: FastifyRequest,
): Promise<{ readonly session: Session; readonly token?: string } | undefined> {
  const cookie = readCookie(request.headers.cookie, SESSION_COOKIE);
  const tokens = tokensOf(request);
  if (tokens.length + (cookie === undefined ? 0 : 1) > 1) {
    throw new PosternError('request_invalid', 'This request carries two identities. Send one cookie or one token.');
  }
  const [token] = tokens;
  if (token !== undefined) {
    const session = await deps.sessions.readToken(token, deps.relayOrigin);
    return session && { session, token: sha256Hex(token) };
  }
  if (cookie === undefined) return undefined;
  refuseForgery(request, deps.relayOrigin);
  const session = await deps.sessions.readCookie(cookie, deps.relayHost);
  return session && { session };
}

function tokensOf({ headers }: FastifyRequest): string[] {
  const own = headers['postern-token'];
  const bearer = /^Bearer +(pst_\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return [...[own].flat(), bearer].filter((token) => token !== undefined);
}
