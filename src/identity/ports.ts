import type { RevocationReason } from '../domain/change.ts';
import type { Enrollment, StoredAgent, StoredEnrollmentToken } from '../domain/stored/agent.ts';
import type { CodeBinding, NewCode, RedeemedCode } from '../domain/stored/code.ts';
import type { Profile, StoredPrincipal } from '../domain/stored/principal.ts';
import type {
  EndedSession,
  NewCredential,
  NewSession,
  StoredSession,
  WhichSessions,
} from '../domain/stored/session.ts';
import type { StoredSigningKey } from '../domain/stored/signing-key.ts';

/**
 * What identity asks of the rest of the relay. Hashes are hex SHA-256, times epoch ms. Whatever revokes authority also
 * writes the row of the change feed in the same transaction.
 */

export interface PrincipalStore {
  /** Creates or refreshes the principal of (issuer, subject); binds its e-mail if nobody holds it yet. */
  recordSignIn(profile: Profile, newId: string, nowMs: number): Promise<StoredPrincipal>;
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

/** Codes that are redeemed once, within a minute, only with what they are bound to. */
export interface CodeStore {
  /** At most `keep` per session: the oldest go first. */
  add(code: NewCode, keep: number): Promise<void>;
  /** One statement: two at once redeem once. Whoever presents a code uses it up, also where it is not bound. */
  redeem(code: CodeBinding, nowMs: number): Promise<RedeemedCode | undefined>;
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

export interface SigningKeyStore {
  /** Newest first. */
  list(): Promise<readonly StoredSigningKey[]>;
  /** Does nothing when there is a current key already. */
  addFirst(key: StoredSigningKey): Promise<void>;
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
