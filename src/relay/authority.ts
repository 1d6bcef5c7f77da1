import type { SessionReader } from '../gateway/ports.ts';
import { messageOf, PosternError } from '../lib/errors.ts';

export interface AuthorityBounds {
  /** Without news of revocations for this long, no new access. */
  readonly refuseAfterMs: number;
  /** And after this long, open streams close. */
  readonly cutAfterMs: number;
}

const AUTHORITY_BOUNDS: AuthorityBounds = { refuseAfterMs: 1_000, cutAfterMs: 10_000 };
const LOOK_MS = 500;

interface AuthorityParts {
  /** Since the last news of revocations, by a clock that nobody can set. */
  readonly silenceMs: () => number;
  /** Aborts, with the reason, when this process may not write its audit log any more. */
  readonly closed: AbortSignal;
}

/**
 * A relay that cannot hear of revocations, or whose log belongs to another, has no authority: it must not go on as if
 * it had.
 */
export class Authority {
  readonly #parts: AuthorityParts;
  readonly #bounds: AuthorityBounds;

  constructor(parts: AuthorityParts, bounds: AuthorityBounds = AUTHORITY_BOUNDS) {
    this.#parts = parts;
    this.#bounds = bounds;
  }

  /** Since the last news. */
  get silenceMs(): number {
    return this.#parts.silenceMs();
  }

  /** No new access now. */
  get isSilent(): boolean {
    return this.#parts.closed.aborted || this.silenceMs > this.#bounds.refuseAfterMs;
  }

  /** Why there is no new access now; undefined while there is. */
  get lostBecause(): string | undefined {
    if (this.#parts.closed.aborted) return messageOf(this.#parts.closed.reason);
    return this.isSilent ? 'the database does not answer' : undefined;
  }

  /** `sessions`, answering only while there is authority. */
  guard(sessions: Omit<SessionReader, 'hasAuthority'>): SessionReader {
    const refuse = (): Promise<never> => {
      const why = this.#parts.closed.aborted ? 'may not write its audit log' : 'cannot reach its database';
      return Promise.reject(
        new PosternError('database_unavailable', `The relay ${why} at the moment. Try again soon.`),
      );
    };
    return {
      readCookie: (cookie, host) => (this.isSilent ? refuse() : sessions.readCookie(cookie, host)),
      readToken: (token, audience) => (this.isSilent ? refuse() : sessions.readToken(token, audience)),
      readPresented: (presented) => (this.isSilent ? refuse() : sessions.readPresented(presented)),
      isCurrent: (session) => !this.isSilent && sessions.isCurrent(session),
      hasAuthority: () => !this.isSilent,
    };
  }

  /** Calls `cut` once for each loss of authority. Stops when disposed. */
  watch(cut: () => void): Disposable {
    let lost = false;
    const look = (): void => {
      const gone = this.#parts.closed.aborted || this.silenceMs > this.#bounds.cutAfterMs;
      if (gone && !lost) cut();
      lost = gone;
    };
    const timer = setInterval(look, LOOK_MS);
    this.#parts.closed.addEventListener('abort', look, { once: true });
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}
