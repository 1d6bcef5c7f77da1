import type { AuditAppender, PersonalBlock } from '../domain/audit-event.ts';
import type { RevocationReason } from '../domain/change.ts';
import type { Principal } from '../domain/principal.ts';
import type { PublicJwk } from '../token/key.ts';

/**
 * What identity asks of the rest of the relay. Hashes are hex SHA-256, times epoch ms. Whatever revokes authority also
 * writes the row of the change feed in the same transaction.
 */

export interface PrincipalStore {
  /** Creates or refreshes the principal of (issuer, subject); binds its e-mail if nobody holds it yet. */
  recordSignIn(profile: Profile, newId: string, nowMs: number): Promise<StoredPrincipal>;
}

/** What the provider said about a person at a sign-in. */
export interface Profile {
  /** Default: a person. */
  readonly kind?: 'service';
  readonly issuer: string;
  readonly subject: string;
  /** Verified and in lower case, or undefined. */
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly groups: readonly string[];
}

export interface StoredPrincipal extends Principal {
  /** Grows with each change of what a decision may use. */
  readonly epoch: number;
}

export interface SessionStore {
  /** Keeps at most `keep` live ones of the principal: the oldest end, and are returned. */
  create(session: NewSession, keep: number): Promise<readonly EndedSession[]>;
  /** The live session behind a credential for one of these audiences; undefined when it is unknown, ended or expired. */
  findByCredential(
    hash: string,
    audiences: readonly string[],
    nowMs: number,
    idleMs: number,
  ): Promise<StoredSession | undefined>;
  find(id: string, nowMs: number, idleMs: number): Promise<StoredSession | undefined>;
  /** Keeps at most `keep` of this session and audience: the oldest go first, and every relay reads the principal's sessions anew. */
  addCredential(credential: NewCredential, keep: number): Promise<void>;
  /**
   * Deletes a credential and those issued through it. Its principal's epoch grows and every relay reads their sessions
   * anew. Undefined when there is none.
   */
  revokeCredential(hash: string): Promise<{ readonly principal: string; readonly audience: string } | undefined>;
  /** Moves the idle end. */
  touch(id: string, nowMs: number): Promise<void>;
  /** Facts that were recorded again since the principal changed. */
  updateFacts(id: string, factsHash: string, principalEpoch: number): Promise<void>;
  /** Returns those that were alive. */
  end(which: WhichSessions, reason: RevocationReason, nowMs: number): Promise<readonly EndedSession[]>;
  /** Ends up to `limit` sessions whose idle or absolute life is over. */
  endExpired(nowMs: number, idleMs: number, limit: number): Promise<readonly EndedSession[]>;
  /** Live ones of people, newest first; of one principal or of all; only those older than the session `before`. */
  list(
    principal: string | undefined,
    nowMs: number,
    idleMs: number,
    limit: number,
    before?: string,
  ): Promise<readonly StoredSession[]>;
}

/** One, all of a browser, or all of a principal. */
export type WhichSessions = { readonly id: string } | { readonly browser: string } | { readonly principal: string };

export interface NewSession {
  readonly id: string;
  readonly principal: string;
  readonly principalEpoch: number;
  /** Names the browser that signed in, across its sign-ins: signing out ends them all. */
  readonly browser: string;
  readonly factsHash: string;
  readonly signedInAt: number;
  readonly amr: readonly string[];
  readonly expiresAt: number;
  /** Sealed ID token, which some providers want back at sign-out. */
  readonly logoutHint: string | undefined;
  /** The relay host's own cookie. */
  readonly credential: NewCredential;
}

/** What opens a session: a cookie of one host, or a token for one audience. */
interface NewCredential {
  readonly hash: string;
  readonly session: string;
  readonly kind: 'cookie' | 'token';
  /** `cookie:<host>`, `token:<origin>`, or `service`: wherever the session's scope reaches. */
  readonly audience: string;
  /** For people: which machine asked. */
  readonly label: string | undefined;
  /** Hash of the token through which this one was issued; it ends with that one. */
  readonly parent?: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface StoredSession {
  readonly id: string;
  readonly principal: StoredPrincipal;
  readonly browser: string;
  readonly factsHash: string;
  /** Epoch of the principal when the facts were recorded. */
  readonly factsEpoch: number;
  readonly signedInAt: number;
  readonly amr: readonly string[];
  readonly expiresAt: number;
  readonly lastSeenAt: number;
  readonly logoutHint: string | undefined;
  /** A program's: it does not end for lack of use. */
  readonly unattended: boolean;
  /** Names of the resources that it reaches, whatever rules say. */
  readonly scope: readonly string[] | undefined;
  /** Of the credential by which it was found; the session's own otherwise. */
  readonly credentialExpiresAt: number;
}

export interface EndedSession {
  readonly id: string;
  readonly principal: string;
  /** Whose it was, for the record. */
  readonly person?: Pick<PersonalBlock, 'issuer' | 'subject' | 'email' | 'name'>;
  readonly logoutHint: string | undefined;
}

/** Codes that are redeemed once, within a minute, only with what they are bound to. */
export interface CodeStore {
  /** At most `keep` per session: the oldest go first. */
  add(code: NewCode, keep: number): Promise<void>;
  /** One statement: two at once redeem once. Whoever presents a code uses it up, also where it is not bound. */
  redeem(
    code: Pick<NewCode, 'hash' | 'kind' | 'audience' | 'challenge'>,
    nowMs: number,
  ): Promise<RedeemedCode | undefined>;
}

interface NewCode extends RedeemedCode {
  readonly hash: string;
  readonly kind: 'hand_off' | 'command_line';
  /** Resource host, or the loopback redirect URI of a command line. */
  readonly audience: string;
  /** Base64url SHA-256 of what only the right browser or process knows. */
  readonly challenge: string;
  readonly expiresAt: number;
}

interface RedeemedCode {
  readonly session: string;
  readonly label: string | undefined;
}

export interface AgentStore {
  list(): Promise<readonly StoredAgent[]>;
  find(name: string): Promise<StoredAgent | undefined>;
  /** At most `keep` unredeemed per agent: the oldest go first. */
  addEnrollmentToken(token: StoredEnrollmentToken, keep: number): Promise<void>;
  /** One statement: two at once enroll once. False for unknown, used and expired tokens and those of another agent. */
  enroll(enrollment: Enrollment): Promise<boolean>;
  /** Those not expired, by agent and age. */
  listEnrollmentTokens(nowMs: number): Promise<readonly StoredEnrollmentToken[]>;
  /** False when there is none. */
  revokeEnrollmentToken(hash: string): Promise<boolean>;
  /** `undefined` ends the drain. False when there is no such agent. */
  drain(name: string, drainedAt: number | undefined): Promise<boolean>;
  /** False when there is no such agent or it is revoked already. Its unredeemed tokens go with it. */
  revoke(name: string, nowMs: number): Promise<boolean>;
  /** False when this id was seen before. */
  rememberAssertion(agent: string, jti: string, expiresAt: number): Promise<boolean>;
}

export interface StoredAgent {
  readonly name: string;
  readonly publicKey: PublicJwk;
  readonly keyThumbprint: string;
  readonly enrolledAt: number;
  readonly revokedAt: number | undefined;
  /** What it may announce beyond the relay's file: names, `*` for any characters. */
  readonly scope: readonly string[];
  readonly drainedAt: number | undefined;
}

export interface StoredEnrollmentToken {
  readonly hash: string;
  readonly agent: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly scope: readonly string[];
}

interface Enrollment {
  readonly tokenHash: string;
  readonly agent: string;
  readonly publicKey: PublicJwk;
  readonly keyThumbprint: string;
  readonly nowMs: number;
}

export interface SigningKeyStore {
  /** Newest first; `sealed` is the PEM under the data key. */
  list(): Promise<readonly StoredSigningKey[]>;
  /** Does nothing when there is a current key already. */
  addFirst(key: StoredSigningKey): Promise<void>;
}

interface StoredSigningKey {
  readonly kid: string;
  readonly sealed: string;
  readonly createdAt: number;
}

/** Deletes codes, credentials, tokens, seen assertions and ended sessions that are of no more use. */
export interface ExpiryStore {
  deleteExpired(nowMs: number): Promise<void>;
}

/** Stores what decisions will use, by its hash. The same body has the same hash. Durable when it resolves. */
export type RecordFacts = (body: Readonly<Record<string, unknown>>) => Promise<string>;

/** Where a browser's or machine's request came from, for the log. */
export interface Caller {
  readonly address: string;
  readonly userAgent: string | undefined;
}

export interface Strangers {
  /** Counts a refusal without a principal. Never blocks. */
  refused(reason: string, address: string): void;
}

export type { AuditAppender };
