import { tokenAudience } from '../domain/audience.ts';
import type { TokenIssued } from '../domain/audit-event/token.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import type { Session } from '../domain/session.ts';
import type { AllowedDevice } from '../domain/stored/device-code.ts';
import type { StoredSession } from '../domain/stored/session.ts';
import { sha256, sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { PosternError } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { issueCode } from './issue-code.ts';
import type { Mint } from './keys/mint.ts';
import type { CodeStore, SessionStore } from './ports.ts';
import { sessionOf } from './session-of.ts';
import { TOKEN_PREFIX } from './sessions.ts';

export interface TokenDeps {
  readonly codes: CodeStore;
  readonly sessions: SessionStore;
  readonly mint: Mint;
  readonly idleMs: number;
  /** Origin of the relay's own host. */
  readonly relayOrigin: string;
  readonly audit: AuditAppender;
  readonly clock: Clock;
}

/** Tokens of one session and audience; the oldest go first, and those issued through them with them. Each `postern curl` takes one. */
const MAX_TOKENS = 256;

export interface IssuedToken {
  /** `pst_…`; only its hash is kept. */
  readonly token: string;
  readonly expiresAt: number;
  readonly session: Session;
}

interface Issue {
  readonly audience: string;
  /** Which machine asked. */
  readonly machine?: string | undefined;
  /** Where it asked from, if the person is elsewhere. */
  readonly address?: string;
  readonly via?: TokenIssued['via'];
  /** Hash of the token through which it is issued. */
  readonly parent?: string;
  /** Never longer than the session's. */
  readonly lifeMs?: number | undefined;
}

export type Tokens = ReturnType<typeof createTokens>;

/** Tokens of command lines: children of a session, for one audience each. They end with the session. */
export function createTokens({ codes, sessions, mint, idleMs, relayOrigin, audit, clock }: TokenDeps) {
  async function issue(
    session: StoredSession,
    { audience, machine, address, via, parent, lifeMs }: Issue,
  ): Promise<IssuedToken> {
    const { issuer, subject, email, name } = session.principal;
    const token = TOKEN_PREFIX + mint.mint();
    const now = clock();
    const expiresAt = Math.min(session.expiresAt, now + (lifeMs ?? Number.POSITIVE_INFINITY));
    await audit.append({
      kind: 'token.issued',
      id: sortableId(now),
      at: now,
      principal: session.principal.id,
      session: session.id,
      facts: session.factsHash,
      personal: { issuer, subject, email, name, note: machine, address },
      audience,
      expiresAt,
      ...(via === undefined ? {} : { via }),
    });
    await sessions.addCredential(
      {
        hash: sha256Hex(token),
        session: session.id,
        kind: 'token',
        audience: tokenAudience(audience),
        label: machine,
        parent,
        createdAt: now,
        expiresAt,
      },
      MAX_TOKENS,
    );
    return { token, expiresAt, session: sessionOf(session) };
  }

  const findSession = (id: string): Promise<StoredSession | undefined> => sessions.find(id, clock(), idleMs);

  return {
    /** After the person confirmed: a code for the loopback redirect of their command line (RFC 8252, RFC 7636 S256). */
    createCode(session: Session, redirectUri: string, challenge: string, machine: string): Promise<string> {
      return issueCode(
        { codes, mint, clock },
        {
          kind: 'command_line',
          session: session.id,
          audience: redirectUri,
          challenge,
          label: machine,
        },
      );
    },

    /** Rejects with `token_invalid` when code, redirect URI and verifier do not belong together. */
    async redeemCode(code: string, redirectUri: string, verifier: string): Promise<IssuedToken> {
      const challenge = sha256(verifier).toString('base64url');
      const redeemed = mint.isOurs(code)
        ? await codes.redeem({ hash: sha256Hex(code), kind: 'command_line', audience: redirectUri, challenge }, clock())
        : undefined;
      const session = redeemed && (await findSession(redeemed.session));
      if (!session) throw new PosternError('token_invalid', 'This code is not valid, or was used. Sign in again.');
      return issue(session, { audience: relayOrigin, machine: redeemed.label, via: 'loopback' });
    },

    /** For a machine that a person let act as them. Undefined when their session has ended since. */
    async issueToDevice({ session: id, machine, address }: AllowedDevice): Promise<IssuedToken | undefined> {
      const session = await findSession(id);
      return session && issue(session, { audience: relayOrigin, machine, address, via: 'device' });
    },

    /** A further token of the same session, for a resource's origin. `through`: hash of the token that asks for it. */
    async issueFor(
      session: Session,
      audience: string,
      { through, lifeMs }: { readonly through?: string | undefined; readonly lifeMs?: number | undefined } = {},
    ): Promise<IssuedToken> {
      const stored = await findSession(session.id);
      if (!stored) throw new PosternError('unauthenticated', 'Your session has ended. Sign in again.');
      return issue(stored, { audience, lifeMs, ...(through === undefined ? {} : { parent: through, via: 'token' }) });
    },
  };
}
