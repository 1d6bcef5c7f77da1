import { performance } from 'node:perf_hooks';

/** Beats that may pass without any sign of the peer; then the tunnel is lost. */
const MAX_MISSED = 2;

export interface HeartbeatPort {
  ping(value: number): void;
  lost(): void;
}

/** A ping each beat. Any message of the peer counts as a sign of life: behind a slow download the answer may be late. */
export class Heartbeat {
  readonly #beatMs: number;
  readonly #port: HeartbeatPort;
  #timer: NodeJS.Timeout | undefined;
  #value = 0;
  #sentAt = 0;
  #heard = true;
  missed = 0;
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
    clearInterval(this.#timer);
  }

  heard(): void {
    this.#heard = true;
    this.missed = 0;
  }

  answered(value: number): void {
    if (value === this.#value) this.roundTripMs = performance.now() - this.#sentAt;
  }

  #beat(): void {
    if (this.#heard) {
      this.#heard = false;
    } else {
      this.missed += 1;
      if (this.missed >= MAX_MISSED) {
        this.#port.lost();
        return;
      }
    }
    this.#ping();
  }

  #ping(): void {
    this.#value = (this.#value + 1) >>> 0;
    this.#sentAt = performance.now();
    this.#port.ping(this.#value);
  }
}
