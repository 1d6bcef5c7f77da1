import { performance } from 'node:perf_hooks';

/** The credit both sides assume for a new stream (yamux spec, Flow Control). */
export const INITIAL_WINDOW_BYTES = 256 * 1024;
/** No window grows beyond it: 16 MiB carry 160 MB/s over 100 ms of round trip. */
export const MAX_WINDOW_BYTES = 16 * 1024 * 1024;
/** Per tunnel, for the growth of windows and for bytes that wait for a reader. At the limit: windows stop growing; new streams are refused. */
export const TUNNEL_BUDGET_BYTES = 64 * 1024 * 1024;
/** The same, for all tunnels of the process. */
export const PROCESS_BUDGET_BYTES = 512 * 1024 * 1024;
/** What may wait in one tunnel while it still takes new streams, whatever waits in others: no agent stops those of another. */
export const TUNNEL_SHARE_BYTES = 8 * 1024 * 1024;
/** A stream that turns half of its window over faster than this (or than 4 round trips) deserves a larger one. */
const FAST_TURN_MS = 100;

/** Counts two things against one limit each: credit given beyond the initial windows, and bytes received but not yet read. */
export class WindowBudget {
  readonly #limitBytes: number;
  readonly #parent: WindowBudget | undefined;
  readonly #shareBytes: number;
  #grownBytes = 0;
  #waitingBytes = 0;

  /** `shareBytes` of waiting are admitted also while the parent admits nothing. */
  constructor(limitBytes: number, parent?: WindowBudget, shareBytes = 0) {
    this.#limitBytes = limitBytes;
    this.#parent = parent;
    this.#shareBytes = shareBytes;
  }

  /** False: too much waits already; take no new stream. */
  get admits(): boolean {
    if (this.#waitingBytes < this.#shareBytes) return true;
    return this.#waitingBytes < this.#limitBytes && (this.#parent?.admits ?? true);
  }

  grow(bytes: number): boolean {
    if (this.#grownBytes + bytes > this.#limitBytes) return false;
    if (this.#parent && !this.#parent.grow(bytes)) return false;
    this.#grownBytes += bytes;
    return true;
  }

  shrink(bytes: number): void {
    this.#grownBytes -= bytes;
    this.#parent?.shrink(bytes);
  }

  /** Negative when bytes were read or discarded. */
  wait(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#parent?.wait(bytes);
  }
}

export const processBudget = new WindowBudget(PROCESS_BUDGET_BYTES);

/** Our side of one stream's credit: what the peer may still send, and when to give it more. */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  #sizeBytes = INITIAL_WINDOW_BYTES;
  #creditBytes = INITIAL_WINDOW_BYTES;
  #consumedBytes = 0;
  #turnedAt = performance.now();

  constructor(budget: WindowBudget) {
    this.#budget = budget;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** False when the peer sent more than it may. */
  receive(bytes: number): boolean {
    if (bytes > this.#creditBytes) return false;
    this.#creditBytes -= bytes;
    return true;
  }

  /** The reader took `bytes`; returns the credit to give now, 0 while it is not worth a frame. */
  consume(bytes: number, roundTripMs: number): number {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < this.#sizeBytes / 2) return 0;
    const now = performance.now();
    const fast = now - this.#turnedAt < Math.max(FAST_TURN_MS, 4 * roundTripMs);
    this.#turnedAt = now;
    let credit = this.#consumedBytes;
    if (fast && this.#sizeBytes < MAX_WINDOW_BYTES && this.#budget.grow(this.#sizeBytes)) {
      credit += this.#sizeBytes;
      this.#sizeBytes *= 2;
    }
    this.#consumedBytes = 0;
    this.#creditBytes += credit;
    return credit;
  }

  /** Gives what it took from the budget back. */
  release(): void {
    this.#budget.shrink(this.#sizeBytes - INITIAL_WINDOW_BYTES);
    this.#sizeBytes = INITIAL_WINDOW_BYTES;
  }
}
