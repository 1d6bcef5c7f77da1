import type { AgentTarget } from '../config/agent-target.ts';
import { messageOf } from '../lib/errors.ts';
import { pause } from '../lib/wait.ts';
import { dial } from './dial.ts';

/** Pause between two looks at all targets. */
const LOOK_MS = 30_000;
/** Targets looked at at the same time. */
const MAX_LOOKS = 8;

/**
 * Whether the targets take connections: from what streams saw, and by connecting to those that no stream dialled lately.
 * Not a byte is sent. Only changes are told, and at first what cannot be reached.
 */
export class TargetHealth {
  readonly #targets: ReadonlyMap<string, AgentTarget>;
  readonly #changed: (resource: string, failure: string | undefined) => void;
  readonly #unreachable = new Set<string>();
  /** Dialled by a stream since the last look. */
  readonly #seen = new Set<string>();

  constructor(
    targets: ReadonlyMap<string, AgentTarget>,
    changed: (resource: string, failure: string | undefined) => void,
  ) {
    this.#targets = targets;
    this.#changed = changed;
  }

  /** A stream was opened to the target, or could not be. */
  saw(resource: string, failure: string | undefined): void {
    this.#seen.add(resource);
    this.#note(resource, failure);
  }

  /** Looks now and from time to time, until the signal aborts. */
  watchUntil(signal: AbortSignal): void {
    void this.#watch(signal);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waiting = [...this.#targets].filter(([resource]) => !this.#seen.has(resource)).values();
      this.#seen.clear();
      await Promise.all(Array.from({ length: MAX_LOOKS }, () => this.#look(waiting, signal)));
      await pause(LOOK_MS, signal);
    }
  }

  async #look(waiting: Iterable<[string, AgentTarget]>, signal: AbortSignal): Promise<void> {
    for (const [resource, target] of waiting) {
      let failure: string | undefined;
      try {
        (await dial(target, signal)).destroy();
      } catch (error) {
        failure = messageOf(error);
      }
      if (signal.aborted) return;
      if (!this.#seen.has(resource)) this.#note(resource, failure);
    }
  }

  #note(resource: string, failure: string | undefined): void {
    if (this.#unreachable.has(resource) === (failure !== undefined)) return;
    if (failure === undefined) this.#unreachable.delete(resource);
    else this.#unreachable.add(resource);
    this.#changed(resource, failure);
  }
}
