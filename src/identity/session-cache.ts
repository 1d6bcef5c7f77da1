import type { Session } from '../domain/session.ts';

/** Sessions in memory at once. Beyond it the one used longest ago leaves, and is read from the database when it comes back. */
const MAX_SESSIONS = 20_000;
/** How exactly "longest ago" is meant. */
const MOVE_MS = 1_000;
/** Credentials (cookies of hosts, tokens) in memory for one session; the oldest leaves. */
const MAX_CREDENTIALS = 64;
/** Remembered revocations, against reads that began before them. Beyond it such reads start over. */
const MAX_RECENT = 10_000;

export interface CachedSession {
  readonly session: Session;
  readonly browser: string;
  readonly unattended: boolean;
  /** When the database was asked for it, epoch ms. */
  readonly readAt: number;
  lastSeenAt: number;
  /** When the database last heard of `lastSeenAt`. */
  touchedAt: number;
}

interface Kept extends CachedSession {
  /** Expiry of each credential, epoch ms, by its key. */
  readonly keys: Map<string, number>;
  /** Since when it is where it is in the order. */
  movedAt: number;
}

/** Live sessions by id and by credential. A read that overlaps a revocation is never kept. */
export class SessionCache {
  /** The last to leave at the end. */
  readonly #sessions = new Map<string, Kept>();
  readonly #byCredential = new Map<string, string>();
  readonly #recent = new Map<string, number>();
  #clock = 0;
  #forgottenUpTo = 0;

  /** By credential key; undefined when unknown or when the credential itself is over. */
  get(key: string, nowMs: number): CachedSession | undefined {
    const id = this.#byCredential.get(key);
    const entry = id === undefined ? undefined : this.#sessions.get(id);
    if (!entry || (entry.keys.get(key) ?? 0) <= nowMs) return undefined;
    if (Math.abs(nowMs - entry.movedAt) >= MOVE_MS) {
      entry.movedAt = nowMs;
      this.#sessions.delete(entry.session.id);
      this.#sessions.set(entry.session.id, entry);
    }
    return entry;
  }

  /** When the credential itself is over, epoch ms. */
  endOf(key: string): number | undefined {
    const id = this.#byCredential.get(key);
    return id === undefined ? undefined : this.#sessions.get(id)?.keys.get(key);
  }

  get size(): number {
    return this.#sessions.size;
  }

  peek(id: string): CachedSession | undefined {
    return this.#sessions.get(id);
  }

  /** Take this before reading from the database, and give it to `put`. */
  mark(): number {
    return this.#clock;
  }

  /** False, and nothing is kept, when the session or its principal changed since `mark`. */
  put(key: string, expiresAt: number, entry: CachedSession, mark: number): boolean {
    const { id, principal } = entry.session;
    if (mark < this.#forgottenUpTo || this.#changedSince(id, mark) || this.#changedSince(principal.id, mark))
      return false;
    const known = this.#sessions.get(id);
    const keys = known?.keys ?? new Map<string, number>();
    keys.set(key, expiresAt);
    this.#byCredential.set(key, id);
    if (keys.size > MAX_CREDENTIALS) this.#dropOldestKey(keys);
    const lastSeenAt = Math.max(entry.lastSeenAt, known?.lastSeenAt ?? 0);
    const touchedAt = Math.max(entry.touchedAt, known?.touchedAt ?? 0);
    this.#sessions.delete(id);
    this.#sessions.set(id, { ...entry, lastSeenAt, touchedAt, keys, movedAt: entry.readAt });
    if (this.#sessions.size > MAX_SESSIONS) this.#dropOldestSession();
    return true;
  }

  forgetSession(id: string): void {
    this.#remember(id);
    this.#drop(id);
  }

  forgetPrincipal(principal: string): void {
    this.#remember(principal);
    for (const [id, entry] of this.#sessions) if (entry.session.principal.id === principal) this.#drop(id);
  }

  forgetAll(): void {
    this.#clock += 1;
    this.#forgottenUpTo = this.#clock;
    this.#recent.clear();
    this.#sessions.clear();
    this.#byCredential.clear();
  }

  #changedSince(id: string, mark: number): boolean {
    return (this.#recent.get(id) ?? 0) > mark;
  }

  #remember(id: string): void {
    this.#clock += 1;
    this.#recent.delete(id);
    this.#recent.set(id, this.#clock);
    if (this.#recent.size <= MAX_RECENT) return;
    const [oldest] = this.#recent;
    if (!oldest) return;
    this.#recent.delete(oldest[0]);
    this.#forgottenUpTo = oldest[1];
  }

  #drop(id: string): void {
    const entry = this.#sessions.get(id);
    if (!entry) return;
    for (const key of entry.keys.keys()) this.#byCredential.delete(key);
    this.#sessions.delete(id);
  }

  #dropOldestSession(): void {
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#drop(oldest);
  }

  #dropOldestKey(keys: Map<string, number>): void {
    const [oldest] = keys.keys();
    if (oldest === undefined) return;
    keys.delete(oldest);
    this.#byCredential.delete(oldest);
  }
}
