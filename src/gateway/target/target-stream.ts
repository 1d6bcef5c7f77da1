import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client } from 'undici';
import { PosternError } from '../../lib/errors.ts';
import { MAX_TARGET_HEADER_BYTES, STREAM_AGE_MS, STREAM_IDLE_MS, STREAM_OPEN_MS } from '../limits.ts';
import type { AgentTunnel } from '../ports.ts';

const TARGET_URL = 'http://target';

/** One tunnel stream to a target, for one session and resource, with an HTTP client on it. It carries one request at a time. */
export class TargetStream {
  readonly session: string;
  readonly resource: string;
  readonly tunnel: AgentTunnel;
  readonly name: string;
  readonly #bornAt: number;
  /** Requests it was taken for. */
  ordinal = 1;
  /** Its authority ended while it was busy: it goes with its request. */
  retired = false;
  #client: Client | undefined;
  #duplex: Duplex | undefined;
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

  /** The client to send on; undefined until opened. */
  get client(): Client | undefined {
    return this.#client;
  }

  /** It was reset, not ended: what came last may not be all. */
  get wasReset(): boolean {
    return this.#duplex?.errored !== null && this.#duplex?.errored !== undefined;
  }

  canCarryMore(nowMs: number): boolean {
    return (
      !this.#dead &&
      !this.#duplex?.destroyed &&
      !this.retired &&
      !this.tunnel.closed &&
      nowMs - this.#bornAt < STREAM_AGE_MS
    );
  }

  /** Opens it with a receipt. Rejects with `target_unreachable`, `tunnel_closed`, `timeout`, or `aborted` by the caller. */
  async open(receipt: string, signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(STREAM_OPEN_MS);
    let duplex: Duplex;
    try {
      duplex = await this.tunnel.openStream({
        resource: this.resource,
        receipt,
        signal: AbortSignal.any([signal, limit]),
      });
    } catch (cause) {
      if (limit.aborted) throw new PosternError('timeout', 'The stream to the target did not open in time.', { cause });
      throw cause;
    }
    if (this.#dead || signal.aborted) {
      duplex.on('error', ignore).destroy();
      throw new PosternError('aborted', 'The stream to the target is no longer wanted.');
    }
    duplex.on('error', ignore);
    this.#duplex = duplex;
    this.#client = this.#clientOn(duplex);
  }

  destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#duplex?.destroy();
    this.#client?.destroy(null, ignore);
  }

  #clientOn(duplex: Duplex): Client {
    let used = false;
    const client = new Client(TARGET_URL, {
      pipelining: 1,
      keepAliveTimeout: STREAM_IDLE_MS,
      keepAliveMaxTimeout: STREAM_IDLE_MS,
      maxHeaderSize: MAX_TARGET_HEADER_BYTES,
      connect: (_options, callback) => {
        // undici would connect again by itself; a receipt opens one stream, once.
        const again = used;
        used = true;
        // undici breaks on a synchronous callback.
        queueMicrotask(() => {
          // Always an error of ours: for its own (UND_ERR_INFO, UND_ERR_SOCKET) undici would connect again, for ever.
          if (again || duplex.destroyed) callback(streamEnded(duplex.errored), null);
          // undici asks of its socket only what every Duplex has.
          else callback(null, duplex as Socket);
        });
      },
    });
    client.on('disconnect', () => {
      this.#dead = true;
      this.onEnded?.();
    });
    return client;
  }
}

function streamEnded(cause: Error | null): PosternError {
  return cause instanceof PosternError ? cause : new PosternError('tunnel_closed', 'The stream has ended.', { cause });
}

function ignore(): void {}
