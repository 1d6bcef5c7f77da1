import type { Resource } from '../../domain/resource.ts';
import type { Identity, Session } from '../../domain/session.ts';
import { badRequest, type Refusal, refusal } from '../answer/refusal.ts';
import type { GatewayPorts, SessionReader } from '../ports.ts';
import type { RequestHead } from './1-read.ts';
import { isFromAllowedOrigin } from './origin-rule.ts';

/** What the client presented, kept so that an open access can be identified again. */
export interface Credential {
  readonly via: Identity['via'];
  /** As presented; by address, the hash of what was presented for the lease. */
  readonly text: string;
  /** What it must be for: the host of a cookie, the origin of a token; by address, as identity names it. */
  readonly audience: string;
}

export interface Identified {
  readonly identity: Identity;
  readonly credential: Credential;
}

/** Step 3. Undefined: a stranger, or a credential that names no live session. */
export async function identify(
  ports: GatewayPorts,
  head: RequestHead,
  resource: Resource | undefined,
): Promise<Identified | Refusal | undefined> {
  const presented = presentedCredential(ports, head);
  if (presented === undefined || 'status' in presented) return presented;
  // An unknown host has no sessions: the same answer as for a stranger at an existing host.
  if (resource === undefined) return undefined;
  const audience = presented.via === 'cookie' ? head.hostname : resource.origin;
  const credential = { ...presented, audience };
  const identity = await readIdentity(ports, credential);
  if (identity === undefined) return undefined;
  if (credential.via === 'cookie' && !isFromAllowedOrigin(head, resource)) {
    return refusal(
      403,
      'forbidden',
      `Refused: this ${head.websocket === undefined ? head.method : 'WebSocket'} request does not come from a page of ${resource.origin}. Programs: send a token as Postern-Token instead of a cookie.`,
    );
  }
  return { identity, credential };
}

export async function readIdentity(
  { sessions }: Pick<GatewayPorts, 'sessions'>,
  { via, text, audience }: Credential,
): Promise<Identity | undefined> {
  const session = await read(sessions, { via, text, audience });
  return session === undefined ? undefined : { session, via };
}

function read(sessions: SessionReader, { via, text, audience }: Credential): Promise<Session | undefined> {
  switch (via) {
    case 'cookie':
      return sessions.readCookie(text, audience);
    case 'token':
      return sessions.readToken(text, audience);
    case 'address':
      return sessions.readPresented({ hash: text, audience });
    case 'anonymous':
      return Promise.resolve(undefined);
  }
}

function presentedCredential(
  ports: GatewayPorts,
  head: RequestHead,
): Omit<Credential, 'audience'> | Refusal | undefined {
  const cookie = head.cookie === undefined ? undefined : ports.handOff.sessionCookie(head.cookie);
  const bearer = head.authorization === undefined ? undefined : posternBearer(head.authorization);
  const token = head.posternToken ?? bearer;
  if ((head.posternToken !== undefined && bearer !== undefined) || (token !== undefined && cookie !== undefined)) {
    return badRequest(400, 'The request carries two identities. Send either the cookie or one token.');
  }
  if (token !== undefined) return token.startsWith('pst_') ? { via: 'token', text: token } : undefined;
  return cookie === undefined ? undefined : { via: 'cookie', text: cookie };
}

/** The token of `Authorization: Bearer pst_…`; any other Authorization belongs to the target. */
export function posternBearer(authorization: string): string | undefined {
  return /^bearer +(pst_\S*) *$/i.exec(authorization)?.[1];
}
