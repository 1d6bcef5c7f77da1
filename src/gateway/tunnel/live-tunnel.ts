import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { DeviceCredential } from '../../domain/device-credential.ts';
import type { TunnelView } from '../../domain/live.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, messageOf, PosternError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { plainText } from '../../lib/network/address.ts';
import type { Endpoint } from '../../lib/network/endpoint.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeHeader, receiveAnswer, refusalError } from '../../tunnel/stream-header.ts';
import type { MessageTransport } from '../../tunnel/transport.ts';
import { Tunnel } from '../../tunnel/tunnel.ts';
import type { TunnelEndCode } from '../../tunnel/tunnel-end.ts';
import type { AgentTunnel, Resolved, StreamOpening } from '../ports.ts';
import type { AnnouncementJudge, RefusedAnnouncement } from './announcement.ts';
import { ControlStream } from './control-stream.ts';
import type { CredentialPort } from './credential-port.ts';

/** The agent dials for at most 10 s; its answer may take a little longer. */
const ANSWER_TIMEOUT_MS = 12_000;
/** Longest delay of a Node timer; no credential lives longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface LiveTunnelPorts {
  readonly heartbeatMs: number;
  readonly credentials: CredentialPort;
  readonly judgeAnnouncement: AnnouncementJudge;
  readonly refusedAnnouncement: (refused: readonly RefusedAnnouncement[]) => void;
  readonly log: Logger;
  readonly clock: Clock;
}

/** One agent's tunnel from its proof to its end. It ends when its credential does. */
export class LiveTunnel implements AgentTunnel {
  readonly id: string;
  readonly agent: string;
  readonly keyThumbprint: string;
  readonly connectedAt: number;
  readonly control: ControlStream;
  readonly #tunnel: Tunnel;
  readonly #ports: LiveTunnelPorts;
  readonly #streamPrefix = randomBytes(4).toString('hex');
  #streams = 0;
  #expiresAt: number;
  #expiry: NodeJS.Timeout | undefined;

  constructor(id: string, credential: DeviceCredential, transport: MessageTransport, ports: LiveTunnelPorts) {
    this.id = id;
    this.agent = credential.agent;
    this.keyThumbprint = credential.keyThumbprint;
    this.connectedAt = ports.clock();
    this.#ports = ports;
    this.#expiresAt = credential.expiresAt;
    this.control = new ControlStream({
      renew: () => this.#renew(),
      judge: (announced) => ports.judgeAnnouncement(credential.agent, credential.scope, announced),
      refused: ports.refusedAnnouncement,
      broken: (reason) => this.end('protocol_violation', reason),
    });
    this.#tunnel = new Tunnel(transport, {
      side: 'relay',
      heartbeatMs: ports.heartbeatMs,
      accept: (stream) => this.control.accept(stream),
    });
    const stop = () => {
      clearTimeout(this.#expiry);
      this.control.stop();
    };
    this.#expireAt(credential.expiresAt);
    this.#tunnel.ended.addEventListener('abort', stop, { once: true });
    // The connection may have been lost before the tunnel was made.
    if (this.closed) stop();
  }

  get closed(): boolean {
    return this.#tunnel.end !== undefined;
  }

  get ended(): AbortSignal {
    return this.#tunnel.ended;
  }

  get endedBecause(): string | undefined {
    return this.#tunnel.end && `${this.#tunnel.end.code}: ${this.#tunnel.end.reason}`;
  }

  get streamCount(): number {
    return this.#tunnel.streamCount;
  }

  /** Nothing speaks against opening streams on it. */
  get healthy(): boolean {
    return !this.closed && !this.#tunnel.suspect && !this.#tunnel.full;
  }

  serves(resource: string): boolean {
    return (
      !this.control.draining && !this.#ports.credentials.isDrained(this.agent) && this.control.resources.has(resource)
    );
  }

  /** False when the agent could not reach the target when it last tried. */
  reaches(resource: string): boolean {
    return !this.control.unreachable.has(resource);
  }

  nameStream(): string {
    this.#streams += 1;
    // By way of a buffer, so that it is one piece: each intent on the stream encodes it, and a concatenation is slow there.
    return Buffer.from(`${this.#streamPrefix}-${this.#streams}`).toString('latin1');
  }

  /**
   * Resolves at once: what is written follows the header without waiting for the agent's answer, which saves a round trip
   * for each new stream. The answer is taken off before any byte reaches the reader; a refusal destroys the stream with
   * `target_unreachable`, `timeout` or `tunnel_closed`, so it cannot be mistaken for an answer of the target.
   */
  openStream(open: StreamOpening): Promise<Duplex> {
    try {
      return Promise.resolve(this.#open(open).stream);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  async connectStream(open: StreamOpening): Promise<Duplex> {
    const { stream, answered } = this.#open(open);
    await answered;
    if (stream.errored) throw stream.errored;
    if (stream.destroyed) throw new PosternError('tunnel_closed', 'The stream ended at its start.');
    return stream;
  }

  /** How specifically it lists where somebody wants to go; undefined: not at all. */
  rank(resource: string, asked: Endpoint): number | undefined {
    return this.serves(resource) ? this.control.networks.get(resource)?.rank(asked) : undefined;
  }

  async resolve(resource: string, asked: Endpoint, session: string): Promise<Resolved> {
    const resolved = await this.control.resolve(resource, asked, session);
    if ('code' in resolved) return resolved;
    const address = plainText(resolved.address);
    if (address !== undefined && this.control.networks.get(resource)?.takes(address)) return { address };
    return { code: 'not_allowed', message: 'The agent gave an address that it does not list.' };
  }

  end(code: TunnelEndCode, reason: string): void {
    this.#tunnel.close(code, reason);
  }

  view(): TunnelView {
    return {
      tunnel: this.id,
      agent: this.agent,
      connectedAt: this.connectedAt,
      expiresAt: this.#expiresAt,
      resources: [...this.control.resources],
      unreachable: [...this.control.unreachable],
      streams: this.streamCount,
      roundTripMs: this.#tunnel.roundTripMs,
    };
  }

  async #renew(): Promise<void> {
    if (this.#ports.credentials.isRevoked(this.agent)) return this.end('agent_revoked', 'The agent was revoked.');
    try {
      const { credential, expiresAt } = await this.#ports.credentials.renew(this.agent, this.keyThumbprint);
      if (this.closed) return;
      this.#expireAt(expiresAt);
      this.control.send({ type: 'credential', credential, expiresAt });
    } catch (error) {
      // The agent asks again; the old credential's end bounds how often.
      this.#ports.log.warn({ agent: this.agent, error: messageOf(error) }, 'a device credential was not renewed');
    }
  }

  #open(open: StreamOpening): { readonly stream: TunnelStream; readonly answered: Promise<void> } {
    if (open.signal.aborted) throw stopped(open.signal);
    const stream = this.#tunnel.open();
    const stop = () => stream.destroy(stopped(open.signal));
    open.signal.addEventListener('abort', stop, { once: true });
    const { resource, destination, receipt } = open;
    stream.write(
      encodeHeader({ version: 1, kind: 'resource', resource, receipt, ...(destination ? { destination } : {}) }),
    );
    const answered = receiveAnswer(stream, ANSWER_TIMEOUT_MS, (answer) => {
      if (answer.ok) return;
      // The next stream already goes to another agent, if there is one: the message about health is still on its way.
      // What one destination does says nothing about a network.
      if (answer.code.startsWith('dial_') && destination === undefined) this.control.unreachable.add(resource);
      stream.destroy(refusalError(answer, resource));
    })
      .then(
        () => {},
        (error: unknown) => {
          if (!stream.destroyed) stream.destroy(asUnreachable(error));
        },
      )
      .finally(() => open.signal.removeEventListener('abort', stop));
    return { stream, answered };
  }

  #expireAt(expiresAt: number): void {
    this.#expiresAt = expiresAt;
    clearTimeout(this.#expiry);
    if (this.closed) return;
    this.#expiry = setTimeout(
      () => this.end('credential_expired', 'The device credential has expired.'),
      Math.min(MAX_TIMER_MS, Math.max(0, expiresAt - this.#ports.clock())),
    );
  }
}

function stopped(signal: AbortSignal): PosternError {
  const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return late
    ? new PosternError('timeout', 'The agent did not open the stream in time.')
    : new PosternError('aborted', 'The opening of a stream was stopped.');
}

function asUnreachable(error: unknown): PosternError {
  if (hasCode(error, 'timeout')) return error;
  return new PosternError('target_unreachable', `The agent did not open the stream: ${messageOf(error)}`, {
    cause: error,
  });
}
