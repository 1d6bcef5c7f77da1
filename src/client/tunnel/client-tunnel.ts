import type { Duplex } from 'node:stream';
import { fullJitterMs } from '../../lib/backoff.ts';
import { hasCode, PosternError } from '../../lib/errors.ts';
import type { HttpProxy } from '../../lib/http-proxy.ts';
import { pause } from '../../lib/wait.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeHeader, receiveAnswer, type StreamHeader } from '../../tunnel/stream-header.ts';
import type { Tunnel } from '../../tunnel/tunnel.ts';
import type { Credential } from '../credentials.ts';
import { reasonOf } from './broken.ts';
import { type Destination, destinationText } from './destination.ts';
import { dialClientTunnel } from './dial.ts';
import { refusedError } from './refusal.ts';

export interface ClientTunnelOptions {
  /** Asked for each stream, so that the latest sign-in counts; throws `unauthenticated` when there is none. */
  readonly credential: () => Credential;
  readonly proxy?: HttpProxy | undefined;
}

/** What opens streams; each one is decided and recorded by the relay. */
export interface StreamOpener {
  /**
   * Rejects with `unauthenticated`, `forbidden` (denied, with the rule's sentence), `target_unreachable`,
   * `relay_unreachable`, `limit_reached`, `timeout` or `aborted`. What the relay said is a StreamRefusedError.
   */
  open(to: Destination, signal: AbortSignal): Promise<Duplex>;
}

/** The relay waits for a commit and for the agent, and the agent for the target. */
const ANSWER_TIMEOUT_MS = 30_000;
const REDIAL_BASE_MS = 250;
const REDIAL_CAP_MS = 10_000;

/** One tunnel for all connections of this process, dialled when one is needed and none lives. */
export class ClientTunnel implements StreamOpener, Disposable {
  readonly #options: ClientTunnelOptions;
  readonly #stop = new AbortController();
  /** Takes the new streams. */
  #tunnel: Tunnel | undefined;
  /** With those that still carry older streams. */
  readonly #open = new Set<Tunnel>();
  /** Whose `#tunnel` is. */
  #token: string | undefined;
  #dialling: Promise<Tunnel> | undefined;
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

  async #live(signal: AbortSignal): Promise<Tunnel> {
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
  async #dial(credential: Credential): Promise<Tunnel> {
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

  #ended(tunnel: Tunnel): void {
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

async function openStream(tunnel: Tunnel, to: Destination, signal: AbortSignal): Promise<Duplex> {
  const stream = tunnel.open();
  const stop = () => stream.destroy(new PosternError('aborted', 'Opening the connection was stopped.'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    stream.write(encodeHeader(headerFor(to)));
    await receiveAnswer(stream, ANSWER_TIMEOUT_MS, (answer) => {
      if (!answer.ok) stream.destroy(refusedError(answer, to));
    });
    if (stream.errored) throw stream.errored;
    return stream;
  } catch (error) {
    stream.destroy();
    throw readable(error, stream, to);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function headerFor(to: Destination): StreamHeader {
  return 'resource' in to
    ? { version: 1, kind: 'resource', resource: to.resource }
    : { version: 1, kind: 'destination', destination: to.destination };
}

function readable(error: unknown, stream: TunnelStream, to: Destination): unknown {
  const cause = stream.errored ?? error;
  if (hasCode(cause, 'timeout'))
    return new PosternError('timeout', `The relay did not say in time whether ${destinationText(to)} opens.`);
  if (cause instanceof PosternError) return cause;
  return new PosternError('relay_unreachable', `The relay broke off opening ${destinationText(to)}. Try again.`, {
    cause,
  });
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
