import { performance } from 'node:perf_hooks';

/** How often a tunnel is tried, where nothing else is configured. */
export const HEARTBEAT_MS = 15_000;

/** Beats of silence after which the tunnel is lost. */
const MAX_SILENT_BEATS = 2;

export interface HeartbeatPort {
  ping(value: number): void;
  lost(): void;
}

/**
 * A ping each beat. Any message of the peer counts as a sign of life: behind a slow download the answer may be late. A
 * peer that fell silent is lost two beats after its last byte, also when that was in the middle of one.
 */
export class Heartbeat {
  readonly #beatMs: number;
  readonly #port: HeartbeatPort;
  #timer: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #stopped = false;
  #value = 0;
  #sentAt = 0;
  #heardAt = performance.now();
  /** Nothing was heard for a whole beat. */
  suspect = false;
  /** Last measured; 0 before the first answer. */
  roundTripMs = 0;

  constructor(beatMs: number, port: HeartbeatPort) {
    this.#beatMs = beatMs;
    this.#port = port;
  }

  start(): void {
    this.#ping();
    // The connection keeps the process alive, not its heartbeat.
    this.#timer = setInterval(() => this.#beat(), this.#beatMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#limit);
  }

  heard(): void {
    this.#heardAt = performance.now();
    this.suspect = false;
  }

  answered(value: number): void {
    if (value === this.#value) this.roundTripMs = performance.now() - this.#sentAt;
  }

  get #silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  #beat(): void {
    const silentMs = this.#silentMs;
    this.suspect = silentMs >= this.#beatMs;
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#look(), Math.max(0, MAX_SILENT_BEATS * this.#beatMs - silentMs)).unref();
    this.#ping();
  }

  /** The machine may have slept, or been too busy to read: what has arrived meanwhile counts, so it is read first. */
  #look(): void {
    setImmediate(() => {
      if (!this.#stopped && this.#silentMs >= MAX_SILENT_BEATS * this.#beatMs) this.#port.lost();
    });
  }

  #ping(): void {
    this.#value = (this.#value + 1) >>> 0;
    this.#sentAt = performance.now();
    this.#port.ping(this.#value);
  }
}
