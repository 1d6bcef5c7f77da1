import type { Duplex } from 'node:stream';
import { fullJitterMs } from '../../lib/backoff.ts';
import { hasCode, PosternError } from '../../lib/errors.ts';
import type { HttpProxy } from '../../lib/http-proxy.ts';
import { pause } from '../../lib/wait.ts';
import type { Credential } from '../credentials.ts';
import { reasonOf } from './broken.ts';
import type { Destination } from './destination.ts';
import { dialClientTunnel } from './dial.ts';
import type { DialledTunnel } from './dialled-tunnel.ts';
import { openStream, type StreamOpener } from './open-stream.ts';

export interface ClientTunnelOptions {
  /** Asked for each stream, so that the latest sign-in counts; throws `unauthenticated` when there is none. */
  readonly credential: () => Credential;
  readonly proxy?: HttpProxy | undefined;
}

const REDIAL_BASE_MS = 250;
const REDIAL_CAP_MS = 10_000;

/** One tunnel for all connections of this process, dialled when one is needed and none lives. */
export class ClientTunnel implements StreamOpener, Disposable {
  readonly #options: ClientTunnelOptions;
  readonly #stop = new AbortController();
  /** Takes the new streams. */
  #tunnel: DialledTunnel | undefined;
  /** With those that still carry older streams. */
  readonly #open = new Set<DialledTunnel>();
  /** Whose `#tunnel` is. */
  #token: string | undefined;
  #dialling: Promise<DialledTunnel> | undefined;
  #failures = 0;
  #failedAt = 0;
  #endReason: string | undefined;

  constructor(options: ClientTunnelOptions) {
    this.#options = options;
  }

  async open(to: Destination, signal: AbortSignal): Promise<Duplex> {
    const tunnel = await this.#live(signal);
    try {
      return await openStream(tunnel, to, signal);
    } catch (error) {
      if (hasCode(error, 'unauthenticated') && this.#tunnel === tunnel) this.#tunnel = undefined;
      // It broke before anything was said on the stream: on a new tunnel this is the first attempt.
      if (!hasCode(error, 'tunnel_closed') || signal.aborted) throw error;
      return openStream(await this.#live(signal), to, signal);
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const tunnel of this.#open) tunnel.close('normal', 'The command line is done.');
  }

  async #live(signal: AbortSignal): Promise<DialledTunnel> {
    const credential = this.#credential();
    const tunnel = this.#tunnel;
    const current = this.#token === credential.token.reveal();
    if (tunnel && current && !tunnel.end && !tunnel.suspect && !tunnel.leaving) return tunnel;
    this.#dialling ??= this.#dial(credential).finally(() => {
      this.#dialling = undefined;
    });
    return unlessAborted(this.#dialling, signal);
  }

  /** Stopped only with this object: others may wait for it, too. */
  async #dial(credential: Credential): Promise<DialledTunnel> {
    const { signal } = this.#stop;
    if (this.#failures > 0) {
      const waitMs = fullJitterMs(this.#failures - 1, REDIAL_BASE_MS, REDIAL_CAP_MS);
      await pause(Math.max(0, this.#failedAt + waitMs - performance.now()), signal);
    }
    try {
      const tunnel = await dialClientTunnel(credential, this.#options.proxy, signal);
      this.#failures = 0;
      this.#endReason = undefined;
      this.#open.add(tunnel);
      this.#tunnel = tunnel;
      this.#token = credential.token.reveal();
      tunnel.ended.addEventListener('abort', () => this.#ended(tunnel), { once: true });
      return tunnel;
    } catch (error) {
      if (hasCode(error, 'unauthenticated')) throw this.#whySignedOut(error);
      this.#failures += 1;
      this.#failedAt = performance.now();
      throw error;
    }
  }

  #credential(): Credential {
    try {
      return this.#options.credential();
    } catch (error) {
      throw hasCode(error, 'unauthenticated') ? this.#whySignedOut(error) : error;
    }
  }

  #ended(tunnel: DialledTunnel): void {
    this.#open.delete(tunnel);
    if (tunnel.end?.by === 'peer') this.#endReason = reasonOf(tunnel.end);
  }

  /** The relay says why when it ends a tunnel; afterwards it knows only that the token is of no use. */
  #whySignedOut(error: PosternError): PosternError {
    const reason = this.#endReason;
    return reason === undefined
      ? error
      : new PosternError('unauthenticated', `The last tunnel ended: ${reason} ${error.message}`);
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(new PosternError('aborted', 'Connecting was stopped.'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
