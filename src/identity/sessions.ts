import { cookieAudience, SERVICE_AUDIENCE, tokenAudience } from '../domain/audience.ts';
import type { Actor } from '../domain/audit-event/event-base.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import type { Change, RevocationReason } from '../domain/change.ts';
import type { Presented, Session } from '../domain/session.ts';
import type { EndedSession, NewSession, StoredSession, WhichSessions } from '../domain/stored/session.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import type { LineLog } from '../lib/sparing-log.ts';
import { factsOf } from './facts.ts';
import type { Mint } from './keys/mint.ts';
import type { RecordFacts, SessionStore } from './ports.ts';
import { type CachedSession, SessionCache } from './session-cache.ts';
import { sessionOf, untilEnd } from './session-of.ts';

export interface SessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

export interface SessionsDeps {
  readonly store: SessionStore;
  readonly limits: SessionLimits;
  readonly mint: Mint;
  readonly audit: AuditAppender;
  readonly recordFacts: RecordFacts;
  readonly clock: Clock;
  readonly log: LineLog;
}

/** How often the database hears that a session is in use. */
const TOUCH_MS = 60_000;
/** Expired sessions ended in one sweep; the rest go with the next. */
const EXPIRED_PER_SWEEP = 200;
/** Live sessions of one person; a further sign-in ends the oldest. */
const MAX_PER_PERSON = 100;
/**
 * What is in memory is read again after this. The change feed remembers an hour: a relay that was cut off from it for
 * longer missed revocations, and must not go on with what it knew.
 */
const MAX_AGE_MS = 30 * 60_000;
/** Reads begun again because the session changed meanwhile; then the request counts as without a session. */
const READ_ATTEMPTS = 5;

export const TOKEN_PREFIX = 'pst_';

/**
 * Reads sessions, from memory where it can. Memory follows the change feed (`onChange`), so a revocation counts as soon
 * as this relay hears of it. Structurally the `SessionReader` of the gateway.
 */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #cache = new SessionCache();
  readonly #reading = new Map<string, Promise<Session | undefined>>();
  #hits = 0;
  #misses = 0;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /** Sessions in memory, and from where they were read since the start. */
  get reads(): { readonly cached: number; readonly hits: number; readonly misses: number } {
    return { cached: this.#cache.size, hits: this.#hits, misses: this.#misses };
  }

  /** `cookie` is the session cookie of `host` (a resource's host, or the relay's own). Rejects with `database_unavailable`. */
  readCookie(cookie: string, host: string): Promise<Session | undefined> {
    return this.#read(cookie, [cookieAudience(host)]);
  }

  /** `audience` is the origin that the token was issued for; a service token is read for all, and its session says its scope. */
  async readToken(token: string, audience: string): Promise<Session | undefined> {
    return token.startsWith(TOKEN_PREFIX) ? this.#read(token, [tokenAudience(audience), SERVICE_AUDIENCE]) : undefined;
  }

  /** By what was presented earlier; undefined once that opens nothing any more. */
  readPresented({ hash, audience }: Presented): Promise<Session | undefined> {
    return this.#readHash(hash, [audience], () => true);
  }

  /** Alive, and nothing that a decision uses has changed. False also when it left memory: then read it again. */
  isCurrent(session: Session): boolean {
    const entry = this.#cache.peek(session.id);
    return entry !== undefined && entry.session.epoch === session.epoch && this.#isAlive(entry, this.#deps.clock());
  }

  /** The change feed of this relay goes through here before anyone asks again. */
  onChange(change: Change): void {
    if (change.kind === 'session_revoked') this.#cache.forgetSession(change.session);
    else if (change.kind === 'principal_changed') this.#cache.forgetPrincipal(change.principal);
    else if (change.kind === 'everything_changed') this.#cache.forgetAll();
  }

  /** What is in memory of a principal is read anew here; others hear it by the change feed. */
  forgetPrincipal(principal: string): void {
    this.#cache.forgetPrincipal(principal);
  }

  /** A new session; what it displaces, beyond the newest `keep` of its principal, is recorded and ended here at once. */
  async open(session: NewSession, keep = MAX_PER_PERSON): Promise<void> {
    const ended = await this.#deps.store.create(session, keep);
    await this.#settle(ended, 'session_revoked', undefined);
  }

  /** Ends them everywhere. Recorded, and in force here when it resolves. */
  async end(which: WhichSessions, reason: RevocationReason, by?: string): Promise<readonly EndedSession[]> {
    const ended = await this.#deps.store.end(which, reason, this.#deps.clock());
    await this.#settle(ended, reason, by);
    return ended;
  }

  /**
   * Ends one token, by its hash, and those that were issued through it, everywhere; the session goes on. Recorded, and
   * in force here when it resolves. False when there is none.
   */
  async revokeToken(hash: string, by: Actor): Promise<boolean> {
    const { store, audit, clock } = this.#deps;
    const revoked = await store.revokeCredential(hash);
    if (!revoked) return false;
    this.#cache.forgetPrincipal(revoked.principal);
    const at = clock();
    await audit.append({ kind: 'token.revoked', id: sortableId(at), at, ...by, audience: revoked.audience });
    return true;
  }

  /** Ends what has expired; call it every few seconds. */
  async sweep(): Promise<void> {
    const { store, clock, limits } = this.#deps;
    const ended = await store.endExpired(clock(), limits.idleMs, EXPIRED_PER_SWEEP);
    await this.#settle(ended, 'session_expired', undefined);
  }

  find(id: string): Promise<StoredSession | undefined> {
    return this.#deps.store.find(id, this.#deps.clock(), this.#deps.limits.idleMs);
  }

  /** Live ones, newest first; of one principal or of all; only those older than the session `before`. */
  list(principal: string | undefined, limit: number, before?: string): Promise<readonly StoredSession[]> {
    return this.#deps.store.list(principal, this.#deps.clock(), this.#deps.limits.idleMs, limit, before);
  }

  #read(credential: string, audiences: readonly string[]): Promise<Session | undefined> {
    const secret = credential.startsWith(TOKEN_PREFIX) ? credential.slice(TOKEN_PREFIX.length) : credential;
    return this.#readHash(sha256Hex(credential), audiences, () => this.#deps.mint.isOurs(secret));
  }

  /** Guesses are not worth a look into the database: before that `isOurs` is asked. */
  #readHash(hash: string, audiences: readonly string[], isOurs: () => boolean): Promise<Session | undefined> {
    const key = `${audiences[0]} ${hash}`;
    const now = this.#deps.clock();
    const entry = this.#cache.get(key, now);
    if (entry && this.#isAlive(entry, now)) {
      this.#hits += 1;
      void this.#touch(entry, now);
      return Promise.resolve(untilEnd(entry.session, this.#cache.endOf(key)));
    }
    if (!isOurs()) return Promise.resolve(undefined);
    const running = this.#reading.get(key);
    if (running) return running;
    this.#misses += 1;
    const reading = this.#load(key, hash, audiences).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #load(key: string, hash: string, audiences: readonly string[]): Promise<Session | undefined> {
    const { store, clock, limits } = this.#deps;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const mark = this.#cache.mark();
      const now = clock();
      const stored = await store.findByCredential(hash, audiences, now, limits.idleMs);
      if (!stored) return undefined;
      const session = await this.#withFacts(stored);
      const { browser, unattended, lastSeenAt } = stored;
      const entry = { session, browser, unattended, readAt: now, lastSeenAt, touchedAt: lastSeenAt };
      if (!this.#cache.put(key, stored.credentialExpiresAt, entry, mark)) continue;
      const kept = this.#cache.peek(session.id);
      // Whoever reads it next reads this end, too.
      if (kept) await this.#touch(kept, now);
      return untilEnd(session, stored.credentialExpiresAt);
    }
    return undefined;
  }

  /** A session whose principal changed since it signed in is decided by what holds now, so that is what its records refer to. */
  async #withFacts(stored: StoredSession): Promise<Session> {
    if (stored.factsEpoch === stored.principal.epoch) return sessionOf(stored);
    const factsHash = await this.#deps.recordFacts(factsOf(stored.principal, stored));
    await this.#deps.store.updateFacts(stored.id, factsHash, stored.principal.epoch);
    return sessionOf({ ...stored, factsHash });
  }

  #isAlive(entry: CachedSession, now: number): boolean {
    return (
      entry.session.expiresAt > now &&
      (entry.unattended || entry.lastSeenAt + this.#deps.limits.idleMs > now) &&
      // Also when the clock was set back.
      Math.abs(now - entry.readAt) < MAX_AGE_MS
    );
  }

  async #touch(entry: CachedSession, now: number): Promise<void> {
    entry.lastSeenAt = Math.max(entry.lastSeenAt, now);
    if (now - entry.touchedAt < Math.min(TOUCH_MS, this.#deps.limits.idleMs / 4)) return;
    entry.touchedAt = now;
    await this.#deps.store.touch(entry.session.id, now).catch((error: unknown) => {
      this.#deps.log.warn({ error: messageOf(error) }, 'could not note that a session is in use');
    });
  }

  /** In force first, recorded after: revocation does not wait for the log. */
  async #settle(ended: readonly EndedSession[], reason: RevocationReason, by: string | undefined): Promise<void> {
    for (const { id } of ended) this.#cache.forgetSession(id);
    await Promise.all(ended.map((session) => this.#recordEnd(session, reason, by)));
  }

  async #recordEnd(session: EndedSession, reason: RevocationReason, by: string | undefined): Promise<void> {
    const at = this.#deps.clock();
    await this.#deps.audit.append({
      kind: 'session.ended',
      id: sortableId(at),
      at,
      principal: session.principal,
      session: session.id,
      ...(session.person === undefined ? {} : { personal: session.person }),
      reason,
      ...(by === undefined ? {} : { by }),
    });
  }
}
