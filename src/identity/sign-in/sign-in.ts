import { Type } from 'typebox';
import type { AuditAppender } from '../../domain/audit-event.ts';
import type { Session } from '../../domain/session.ts';
import type { StoredPrincipal } from '../../domain/stored/principal.ts';
import { randomToken } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf, PosternError } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { parser } from '../../lib/schema.ts';
import { createAllowance } from '../allowance.ts';
import type { Seal } from '../keys/seal.ts';
import type { Caller, PrincipalStore, Strangers } from '../ports.ts';
import type { FlowSecrets, ProvenPerson, Provider } from '../provider/provider.ts';
import { type SessionLimits, type Sessions } from '../sessions.ts';
import { FLOW_COOKIE_PREFIX, FLOW_ID, flowIdsOf, readCookie, SESSION_COOKIE } from './cookies.ts';
import { closeFlowCookie, FLOW_LIFE_SECONDS, newFlowId, openFlowCookies } from './flow.ts';
import type { Redirect } from './hand-off.ts';
import type { OpenSession } from './open-session.ts';
import { safeReturnPath } from './return-path.ts';

export interface SignInDeps {
  readonly provider: Provider;
  /** Host of the relay's own origin, lower case, without port. */
  readonly relayHost: string;
  readonly relayOrigin: string;
  readonly principals: PrincipalStore;
  readonly sessions: Sessions;
  readonly limits: SessionLimits;
  /** Of flow cookies and stored ID tokens. */
  readonly seal: Seal;
  readonly openSession: OpenSession;
  readonly audit: AuditAppender;
  readonly strangers: Strangers;
  readonly clock: Clock;
}

/** Failed sign-ins with a record of their own, per minute; the rest is summed. */
const RECORDED_FAILURES = 60;
/** Longer ID tokens are not kept for sign-out. */
const MAX_HINT_LENGTH = 8_192;

/** Sign-in of people on the relay's own host. Each flow has its own cookie, so tabs do not disturb each other. */
export class SignIns {
  readonly #deps: SignInDeps;
  readonly #mayRecord: () => boolean;

  constructor(deps: SignInDeps) {
    this.#deps = deps;
    this.#mayRecord = createAllowance(RECORDED_FAILURES, deps.clock);
  }

  /** To the provider. `returnPath` is on the relay's own host. Rejects with `provider_unavailable`. */
  async begin(returnPath: string | undefined, cookieHeader: string | undefined): Promise<Redirect> {
    const now = this.#deps.clock();
    const id = newFlowId(now);
    const flow: Flow = {
      state: `${id}.${randomToken()}`,
      nonce: randomToken(),
      verifier: randomToken(),
      browser: randomToken(16),
      returnPath: safeReturnPath(returnPath),
      expiresAt: now + FLOW_LIFE_SECONDS * 1000,
    };
    const location = await this.#deps.provider.authorizationUrl(flow);
    const value = this.#deps.seal.seal(JSON.stringify(flow), FLOW_COOKIE_PREFIX + id);
    return { location, setCookies: openFlowCookies(id, value, cookieHeader) };
  }

  /**
   * Back from the provider: a new session with a new cookie, if and only if the audit log holds the sign-in.
   * Rejects with `sign_in_refused`, `provider_unavailable`, `audit_unavailable`.
   */
  async complete(search: URLSearchParams, cookieHeader: string | undefined, caller: Caller): Promise<Redirect> {
    const flowId = (search.get('state') ?? '').split('.', 1)[0] ?? '';
    try {
      const flow = this.#readFlow(flowId, cookieHeader);
      if (!flow)
        throw new PosternError(
          'sign_in_refused',
          'This sign-in was not begun in this browser, or took too long. Start again.',
        );
      const callback = new URL('/oidc/callback', this.#deps.relayOrigin);
      callback.search = search.toString();
      const person = await this.#deps.provider.redeem(callback, flow);
      const cookie = await this.#open(person, flow, cookieHeader, caller);
      return {
        location: flow.returnPath,
        setCookies: [cookie, closeFlowCookie(flowId)],
      };
    } catch (error) {
      if (error instanceof PosternError && error.code === 'sign_in_refused') await this.#recordFailure(error, caller);
      throw error;
    }
  }

  /** Ends the sessions of this browser on every host. Where to go next: the provider's sign-out, if it has one. */
  async signOut(session: Session): Promise<string> {
    const { sessions, provider, relayOrigin, seal } = this.#deps;
    const stored = await sessions.find(session.id);
    const ended = stored ? await sessions.end({ browser: stored.browser }, 'signed_out') : [];
    const sealed = ended.find(({ id }) => id === session.id)?.logoutHint;
    const hint = sealed === undefined ? undefined : seal.open(sealed, session.id);
    const signedOut = new URL('/signed-out', relayOrigin).href;
    // The sign-out here is done; a provider that does not answer must not make it look failed.
    return (await provider.endSessionUrl(signedOut, hint).catch(() => undefined)) ?? signedOut;
  }

  /** The Set-Cookie of the new session. */
  async #open(person: ProvenPerson, flow: Flow, cookieHeader: string | undefined, caller: Caller): Promise<string> {
    const { principals, limits, seal, openSession, clock } = this.#deps;
    const now = clock();
    const principal = await principals.recordSignIn(person.profile, crypto.randomUUID(), now);
    const browser = await this.#browserOf(flow, cookieHeader, principal);
    const id = sortableId(now);
    const { amr, idToken } = person;
    const logoutHint = idToken.length > MAX_HINT_LENGTH ? undefined : seal.seal(idToken, id);
    return openSession({ principal, id, at: now, amr, browser, lifeMs: limits.absoluteMs, logoutHint }, caller);
  }

  /**
   * Sign-ins of one browser share a name, so that signing out ends them all; tabs that sign in at once agree on the
   * smallest. When another person signs in, the sessions of the one before end.
   */
  async #browserOf(flow: Flow, cookieHeader: string | undefined, principal: StoredPrincipal): Promise<string> {
    const cookie = readCookie(cookieHeader, SESSION_COOKIE);
    const before =
      cookie === undefined ? undefined : await this.#deps.sessions.readCookie(cookie, this.#deps.relayHost);
    const stored = before && (await this.#deps.sessions.find(before.id));
    if (stored?.principal.id === principal.id) return stored.browser;
    if (stored) await this.#deps.sessions.end({ browser: stored.browser }, 'signed_out');
    const flows = flowIdsOf(cookieHeader).map((id) => this.#readFlow(id, cookieHeader)?.browser ?? flow.browser);
    return flows.reduce((a, b) => (a < b ? a : b), flow.browser);
  }

  #readFlow(id: string, cookieHeader: string | undefined): Flow | undefined {
    if (!FLOW_ID.test(id)) return undefined;
    const name = FLOW_COOKIE_PREFIX + id;
    const text = this.#deps.seal.open(readCookie(cookieHeader, name) ?? '', name);
    if (text === undefined) return undefined;
    const flow = parseFlow(JSON.parse(text));
    return flow.expiresAt > this.#deps.clock() ? flow : undefined;
  }

  async #recordFailure(error: PosternError, caller: Caller): Promise<void> {
    this.#deps.strangers.refused('sign_in_failed', caller.address);
    if (!this.#mayRecord()) return;
    const at = this.#deps.clock();
    await this.#deps.audit.append({
      kind: 'sign_in.failed',
      id: sortableId(at),
      at,
      reason: messageOf(error),
      personal: { address: caller.address, userAgent: caller.userAgent },
    });
  }
}

interface Flow extends FlowSecrets {
  readonly browser: string;
  readonly returnPath: string;
  readonly expiresAt: number;
}

const parseFlow = parser(
  Type.Object({
    state: Type.String(),
    nonce: Type.String(),
    verifier: Type.String(),
    browser: Type.String(),
    returnPath: Type.String(),
    expiresAt: Type.Number(),
  }),
  'The flow cookie',
  'sign_in_refused',
);
