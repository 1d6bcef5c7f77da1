import { cookieAudience } from '../../domain/audience.ts';
import type { Session } from '../../domain/session.ts';
import { randomToken, sha256, sha256Hex } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { issueCode } from '../issue-code.ts';
import type { Mint } from '../keys/mint.ts';
import type { CodeStore, SessionStore } from '../ports.ts';
import { FLOW_COOKIE_PREFIX, FLOW_ID, isPosternCookie, readCookie, SESSION_COOKIE, setCookie } from './cookies.ts';
import { closeFlowCookie, newFlowId, openFlowCookies } from './flow.ts';
import { safeReturnPath } from './return-path.ts';

export interface HandOffDeps {
  /** Origin of the relay's own host. */
  readonly relayOrigin: string;
  readonly codes: CodeStore;
  readonly sessions: SessionStore;
  readonly mint: Mint;
  readonly idleMs: number;
  readonly clock: Clock;
}

/** Cookies of one session at one host, for tabs that arrive at once; the oldest go first. */
const MAX_COOKIES = 8;

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Carries a sign-in from the relay's host to a resource's host, each with its own cookie. The code alone signs nobody
 * in: it needs the flow cookie of the browser that began. Structurally the `HandOff` of the gateway, plus `grant`.
 */
export class HandOffs {
  readonly #deps: HandOffDeps;

  constructor(deps: HandOffDeps) {
    this.#deps = deps;
  }

  /** On the resource's host: where to send a navigation without a session, and the flow cookie to set. */
  async begin(host: string, returnPath: string, cookieHeader: string | undefined): Promise<Redirect> {
    const id = newFlowId(this.#deps.clock());
    const secret = randomToken();
    const path = Buffer.from(safeReturnPath(returnPath)).toString('base64url');
    const location = new URL('/hand-off', this.#deps.relayOrigin);
    location.search = new URLSearchParams({ host, flow: id, challenge: challengeOf(secret) }).toString();
    return { location: location.href, setCookies: openFlowCookies(id, `${secret}.${path}`, cookieHeader) };
  }

  /** On the relay's host, with a session there: the way back to the resource. Undefined when the request is malformed. */
  async grant(
    session: Session,
    resource: { readonly host: string; readonly origin: string },
    flow: string,
    challenge: string,
  ): Promise<string | undefined> {
    if (!isHandOffRequest(flow, challenge)) return undefined;
    const code = await issueCode(this.#deps, {
      kind: 'hand_off',
      session: session.id,
      audience: resource.host,
      challenge,
      label: undefined,
    });
    const location = new URL('/.postern/redeem', resource.origin);
    location.search = new URLSearchParams({ code, flow }).toString();
    return location.href;
  }

  /** On the resource's host again. Undefined when code, host and flow cookie do not belong together; 303 otherwise. */
  async redeem(
    host: string,
    query: URLSearchParams,
    cookieHeader: string | undefined,
    crossSite = false,
  ): Promise<Redirect | undefined> {
    const { codes, sessions, mint, clock, idleMs } = this.#deps;
    const flow = query.get('flow') ?? '';
    const code = query.get('code') ?? '';
    if (!FLOW_ID.test(flow) || !mint.isOurs(code)) return undefined;
    const [secret = '', path = ''] = (readCookie(cookieHeader, FLOW_COOKIE_PREFIX + flow) ?? '').split('.');
    const now = clock();
    // Without its flow cookie, too: what reached another browser is used up, so whoever sent that browser gains nothing
    // by reading the address there.
    const redeemed = await codes.redeem(
      { hash: sha256Hex(code), kind: 'hand_off', audience: host, challenge: challengeOf(secret) },
      now,
    );
    if (!redeemed || secret === '' || path === '') return undefined;
    const session = await sessions.find(redeemed.session, now, idleMs);
    if (!session) return undefined;
    const cookie = mint.mint();
    await sessions.addCredential(
      {
        hash: sha256Hex(cookie),
        session: session.id,
        kind: 'cookie',
        audience: cookieAudience(host),
        label: undefined,
        createdAt: now,
        expiresAt: session.expiresAt,
      },
      MAX_COOKIES,
    );
    return {
      location: safeReturnPath(Buffer.from(path, 'base64url').toString()),
      setCookies: [setCookie(SESSION_COOKIE, cookie, undefined, crossSite ? 'None' : 'Lax'), closeFlowCookie(flow)],
    };
  }

  isPosternCookie(name: string): boolean {
    return isPosternCookie(name);
  }

  sessionCookie(cookieHeader: string | undefined): string | undefined {
    return readCookie(cookieHeader, SESSION_COOKIE);
  }
}

export interface Redirect {
  readonly location: string;
  readonly setCookies: string[];
}

export function isHandOffRequest(flow: string, challenge: string): boolean {
  return FLOW_ID.test(flow) && CHALLENGE.test(challenge);
}

function challengeOf(secret: string): string {
  return sha256(secret).toString('base64url');
}
