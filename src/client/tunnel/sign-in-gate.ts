import { hasCode } from '../../lib/errors.ts';
import type { StreamOpener } from './open-stream.ts';

/** After one that nobody finished, programs that try again and again must not open one browser window after the other. */
const REST_MS = 60_000;

/** Waits for a sign-in where one is needed: one for all who wait at the same time. */
export class SignInGate {
  readonly #signIn: (() => Promise<void>) | undefined;
  readonly #restMs: number;
  #underWay: Promise<void> | undefined;
  #restUntil = 0;

  /** `signIn` asks the person, within a limit of its own; undefined: nobody can be asked, and everything passes. */
  constructor(signIn: (() => Promise<void>) | undefined, restMs = REST_MS) {
    this.#signIn = signIn;
    this.#restMs = restMs;
  }

  /** Does the work; where it is `unauthenticated`, once more after a sign-in. */
  async pass<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const ask = this.#signIn;
      if (!ask || !hasCode(error, 'unauthenticated') || performance.now() < this.#restUntil) throw error;
      this.#underWay ??= this.#ask(ask);
      await this.#underWay;
      return work();
    }
  }

  /** The same for streams. */
  guard(opener: StreamOpener): StreamOpener {
    return { open: (to, signal) => this.pass(() => opener.open(to, signal)) };
  }

  async #ask(signIn: () => Promise<void>): Promise<void> {
    try {
      await signIn();
    } catch (error) {
      this.#restUntil = performance.now() + this.#restMs;
      throw error;
    } finally {
      this.#underWay = undefined;
    }
  }
}
