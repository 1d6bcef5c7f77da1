import type { StoredCheckpoint } from '../domain/stored/audit-log.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { signCheckpoint } from '../proof/checkpoint.ts';
import { encodeVerifier, type NoteSigner } from '../proof/note.ts';

/** What of the log since the last checkpoint is not yet covered by one: about as much as this. */
const EVERY_MS = 5 * 60_000;
/** Whoever asks gets one that is at most so old. */
const FRESH_MS = 10_000;

/** Where checkpoints are kept. */
export interface CheckpointStore {
  add(checkpoint: StoredCheckpoint): Promise<void>;
}

/** A log as it stands, durable. */
export interface LogState {
  readonly size: number;
  readonly root: Buffer;
}

/** A checkpoint (C2SP tlog-checkpoint, a signed note) and the verifier of its signature. */
export interface SignedCheckpoint {
  readonly checkpoint: string;
  readonly key: string;
}

export interface CheckpointsOptions {
  readonly store: CheckpointStore;
  /** Its name is the log's origin: host of the relay, `/audit/`, id of the log. */
  readonly signer: NoteSigner;
  readonly log: Logger;
  readonly clock: Clock;
  readonly everyMs?: number;
}

/** Signs what the log is, again and again and once more when disposed. Dispose it after the log itself. */
export class Checkpoints implements AsyncDisposable {
  readonly #options: CheckpointsOptions;
  #state: (() => LogState) | undefined;
  #last: StoredCheckpoint | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  follow(state: () => LogState): void {
    this.#state = state;
    this.#timer = setInterval(() => void this.#attempt(), this.#options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Rejects when it cannot be kept. */
  async current(): Promise<SignedCheckpoint> {
    const { clock, signer } = this.#options;
    const last = this.#last;
    const note = last && clock() - last.at < FRESH_MS ? last.note : await this.#issue();
    return { checkpoint: note, key: encodeVerifier(signer) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    if (this.#state) await this.#attempt();
  }

  async #attempt(): Promise<void> {
    try {
      await this.#issue();
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'a checkpoint of the audit log could not be kept');
    }
  }

  async #issue(): Promise<string> {
    const { store, signer, clock } = this.#options;
    const state = this.#state?.();
    if (!state) throw new Error('There is no log to sign.');
    if (this.#last?.size === state.size) return this.#last.note;
    const note = signCheckpoint({ origin: signer.name, ...state, extensions: [] }, [signer]);
    const last = { size: state.size, at: clock(), note };
    await store.add(last);
    this.#last = last;
    return note;
  }
}
