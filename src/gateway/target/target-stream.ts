import type { Duplex } from 'node:stream';
import { PosternError } from '../../lib/errors.ts';
import { STREAM_AGE_MS, STREAM_OPEN_MS } from '../limits.ts';
import type { AgentTunnel } from '../ports.ts';
import { TargetConnection } from './http/target-connection.ts';

/** One tunnel stream to a target, for one session and resource, with HTTP on it. It carries one request at a time. */
export class TargetStream {
  readonly session: string;
  readonly resource: string;
  readonly tunnel: AgentTunnel;
  readonly name: string;
  readonly #bornAt: number;
  /** Requests it was taken for. */
  ordinal = 1;
  /** Among those that are in use. */
  seat = -1;
  /** Greater than that of those that became idle before it. */
  idleTurn = 0;
  /** Its authority ended while it was busy: it goes with its request. */
  retired = false;
  #connection: TargetConnection | undefined;
  #dead = false;
  /** Called once when an opened stream ends by itself. */
  onEnded: (() => void) | undefined;

  constructor(session: string, resource: string, tunnel: AgentTunnel, bornAt: number) {
    this.session = session;
    this.resource = resource;
    this.tunnel = tunnel;
    this.name = tunnel.nameStream();
    this.#bornAt = bornAt;
  }

  /** What to send on; undefined until opened. */
  get connection(): TargetConnection | undefined {
    return this.#connection;
  }

  canCarryMore(nowMs: number): boolean {
    return (
      !this.#dead &&
      this.#connection?.isFree === true &&
      !this.retired &&
      !this.tunnel.closed &&
      nowMs - this.#bornAt < STREAM_AGE_MS
    );
  }

  /**
   * Opens it with a receipt; `reached`: not before the agent has reached the target. Rejects with `target_unreachable`,
   * `tunnel_closed`, `timeout`, or `aborted` by the caller.
   */
  async open(receipt: string, signal: AbortSignal, reached: boolean): Promise<void> {
    const limit = AbortSignal.timeout(STREAM_OPEN_MS);
    let duplex: Duplex;
    try {
      const opening = { resource: this.resource, receipt, signal: AbortSignal.any([signal, limit]) };
      duplex = await (reached ? this.tunnel.connectStream(opening) : this.tunnel.openStream(opening));
    } catch (cause) {
      if (limit.aborted) throw new PosternError('timeout', 'The stream to the target did not open in time.', { cause });
      throw cause;
    }
    if (this.#dead || signal.aborted) {
      duplex.on('error', ignore).destroy();
      throw new PosternError('aborted', 'The stream to the target is no longer wanted.');
    }
    duplex.on('error', ignore);
    this.#connection = new TargetConnection(duplex, () => {
      this.#dead = true;
      this.onEnded?.();
    });
  }

  /** Ends what waits for too long on it. */
  sweep(nowMs: number): void {
    this.#connection?.sweep(nowMs);
  }

  destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#connection?.close();
  }
}

function ignore(): void {}
