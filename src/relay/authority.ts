import type { Session } from '../domain/session.ts';
import type { SessionReader } from '../gateway/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { PosternError } from '../lib/errors.ts';

/** Without news of revocations for this long, no new access. */
const REFUSE_AFTER_MS = 1_000;
/** And after this long, open streams close. */
const CUT_AFTER_MS = 10_000;
const LOOK_MS = 500;

/** A relay that cannot hear of revocations has no authority: it must not go on as if there were none. */
export class Authority {
  readonly #lastHeardAt: () => number;
  readonly #clock: Clock;

  constructor(lastHeardAt: () => number, clock: Clock) {
    this.#lastHeardAt = lastHeardAt;
    this.#clock = clock;
  }

  /** Since the last news. */
  get silenceMs(): number {
    return this.#clock() - this.#lastHeardAt();
  }

  /** No new access now. */
  get isSilent(): boolean {
    return this.silenceMs > REFUSE_AFTER_MS;
  }

  /** `sessions`, answering only while there is authority. */
  guard(sessions: SessionReader): SessionReader {
    const ask = async (read: () => Promise<Session | undefined>): Promise<Session | undefined> => {
      if (!this.isSilent) return read();
      throw new PosternError(
        'database_unavailable',
        'The relay cannot reach its database at the moment. Try again soon.',
      );
    };
    return {
      readCookie: (cookie, host) => ask(() => sessions.readCookie(cookie, host)),
      readToken: (token, audience) => ask(() => sessions.readToken(token, audience)),
      isCurrent: (session) => !this.isSilent && sessions.isCurrent(session),
    };
  }

  /** Calls `cut` once for each loss of authority. Stops when disposed. */
  watch(cut: () => void): Disposable {
    let lost = false;
    const timer = setInterval(() => {
      const silent = this.silenceMs > CUT_AFTER_MS;
      if (silent && !lost) cut();
      lost = silent;
    }, LOOK_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}
