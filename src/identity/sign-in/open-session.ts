import { cookieAudience } from '../../domain/audience.ts';
import type { AuditAppender } from '../../domain/audit-event.ts';
import type { StoredPrincipal } from '../../domain/stored/principal.ts';
import { sha256Hex } from '../../lib/bytes.ts';
import { sortableId } from '../../lib/id.ts';
import { factsOf, methodOf } from '../facts.ts';
import type { Mint } from '../keys/mint.ts';
import type { Caller, RecordFacts } from '../ports.ts';
import type { Sessions } from '../sessions.ts';
import { SESSION_COOKIE, setCookie } from './cookies.ts';

export interface OpenSessionDeps {
  /** Host of the relay's own origin, lower case, without port. */
  readonly relayHost: string;
  readonly sessions: Sessions;
  readonly mint: Mint;
  readonly recordFacts: RecordFacts;
  readonly audit: AuditAppender;
}

/** A sign-in that has proven who it is. */
export interface SignedIn {
  readonly principal: StoredPrincipal;
  /** Id for the session. */
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  readonly amr: readonly string[];
  /** Names the browser across its sign-ins. */
  readonly browser: string;
  readonly lifeMs: number;
  /** Sealed. */
  readonly logoutHint?: string | undefined;
  /** Sessions that the principal may have; beyond it the oldest ends. Default: what a person may have. */
  readonly keep?: number;
}

/** The Set-Cookie of the relay's own host. Rejects with `audit_unavailable`, and then nothing is open. */
export type OpenSession = (signedIn: SignedIn, caller: Caller) => Promise<string>;

/** The one place where sessions of people begin: on record first, with what decisions about them will use. */
export function createSessionOpener({ relayHost, sessions, mint, recordFacts, audit }: OpenSessionDeps): OpenSession {
  return async ({ principal, id, at, amr, browser, lifeMs, logoutHint, keep }, { address, userAgent }) => {
    const { issuer, subject, email, name, groups } = principal;
    const factsHash = await recordFacts(factsOf(principal, { signedInAt: at, amr }));
    await audit.append({
      kind: 'sign_in.completed',
      id: sortableId(at),
      at,
      principal: principal.id,
      session: id,
      facts: factsHash,
      method: methodOf(principal),
      amr,
      personal: { issuer, subject, email, name, groups, address, userAgent },
    });
    const cookie = mint.mint();
    const expiresAt = at + lifeMs;
    await sessions.open(
      {
        id,
        principal: principal.id,
        principalEpoch: principal.epoch,
        browser,
        factsHash,
        signedInAt: at,
        amr,
        expiresAt,
        logoutHint,
        credential: {
          hash: sha256Hex(cookie),
          session: id,
          kind: 'cookie',
          audience: cookieAudience(relayHost),
          label: undefined,
          createdAt: at,
          expiresAt,
        },
      },
      keep,
    );
    return setCookie(SESSION_COOKIE, cookie);
  };
}
