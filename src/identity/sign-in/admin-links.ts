import type { AuditAppender } from '../../domain/audit-event.ts';
import type { StoredPrincipal } from '../../domain/stored/principal.ts';
import { sha256Hex } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { dropOldest } from '../../lib/drop-oldest.ts';
import { PosternError } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import type { Mint } from '../keys/mint.ts';
import type { Caller, PrincipalStore, Strangers } from '../ports.ts';
import { LOCAL_ISSUER } from '../roles.ts';
import { type Sessions } from '../sessions.ts';
import { readCookie, SESSION_COOKIE } from './cookies.ts';
import type { Redirect } from './hand-off.ts';
import type { OpenSession } from './open-session.ts';

export interface AdminLinkDeps {
  readonly relayOrigin: string;
  /** Host of the relay's own origin, lower case, without port. */
  readonly relayHost: string;
  readonly principals: PrincipalStore;
  readonly sessions: Sessions;
  readonly mint: Mint;
  readonly openSession: OpenSession;
  readonly audit: AuditAppender;
  readonly strangers: Strangers;
  readonly clock: Clock;
}

export interface AdminLink {
  /** Opens one session, once. */
  readonly url: string;
  /** Until when it must be opened, epoch ms. */
  readonly expiresAt: number;
}

/** A link that nobody opened is over after this. */
const LINK_LIFE_MS = 5 * 60_000;
/** And the session that it opens after this, whatever happens in it. */
const SESSION_LIFE_MS = 15 * 60_000;
/** Links that wait to be opened; the oldest goes first. */
const MAX_LINKS = 16;
/** Sessions of one local user; beyond it the oldest ends. */
const MAX_SESSIONS = 4;

export type AdminLinks = ReturnType<typeof createAdminLinks>;

/**
 * The way in for whoever holds the relay's machine, when the provider is away or not set up yet: a short session of a
 * service principal with the role admin at the relay itself. Rules do not know this principal, so no app opens. Links
 * live in memory; making one and using one are on record, and neither happens without its record.
 */
export function createAdminLinks(deps: AdminLinkDeps) {
  const { relayOrigin, relayHost, principals, sessions, mint, openSession, audit, strangers, clock } = deps;
  const links = new Map<string, { readonly principal: StoredPrincipal; readonly expiresAt: number }>();

  function take(code: string): StoredPrincipal | undefined {
    const hash = sha256Hex(code);
    const link = mint.isOurs(code) ? links.get(hash) : undefined;
    links.delete(hash);
    return link && link.expiresAt > clock() ? link.principal : undefined;
  }

  return {
    /** `user` is the local user who asked, as the operating system names them. */
    async create(user: string): Promise<AdminLink> {
      const now = clock();
      const name = `${user} on the relay's machine`;
      const profile = {
        kind: 'service',
        issuer: LOCAL_ISSUER,
        subject: user,
        email: undefined,
        name,
        groups: [],
      } as const;
      const principal = await principals.recordSignIn(profile, crypto.randomUUID(), now);
      const expiresAt = now + LINK_LIFE_MS;
      await audit.append({
        kind: 'token.issued',
        id: sortableId(now),
        at: now,
        principal: principal.id,
        audience: `${relayOrigin}/admin-link`,
        expiresAt,
        personal: { issuer: LOCAL_ISSUER, subject: user, name },
      });
      const code = mint.mint();
      links.set(sha256Hex(code), { principal, expiresAt });
      dropOldest(links, MAX_LINKS);
      // In the fragment, which no browser sends: no access log and no Referer has it.
      return { url: `${relayOrigin}/admin-link#code=${code}`, expiresAt };
    },

    /** A session in this browser, in place of any other. Rejects with `sign_in_refused` for links that are unknown, used or over. */
    async open(code: string, cookieHeader: string | undefined, caller: Caller): Promise<Redirect> {
      const principal = take(code);
      if (!principal) {
        strangers.refused('admin_link_refused', caller.address);
        throw new PosternError(
          'sign_in_refused',
          'This link is not valid, or was used. Make a new one on the relay’s machine.',
        );
      }
      const now = clock();
      const before = readCookie(cookieHeader, SESSION_COOKIE);
      const other = before === undefined ? undefined : await sessions.readCookie(before, relayHost);
      if (other) await sessions.end({ id: other.id }, 'signed_out');
      const cookie = await openSession(
        {
          principal,
          id: sortableId(now),
          at: now,
          amr: [],
          browser: sortableId(now),
          lifeMs: SESSION_LIFE_MS,
          keep: MAX_SESSIONS,
        },
        caller,
      );
      return { location: '/', setCookies: [cookie] };
    },
  };
}
