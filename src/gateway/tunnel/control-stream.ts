import { messageOf } from '../../lib/errors.ts';
import type { Endpoint } from '../../lib/network/endpoint.ts';
import { NetworkList } from '../../lib/network/network-list.ts';
import {
  type AgentMessage,
  parseAgentMessage,
  type RelayMessage,
  receiveControl,
  sendControl,
} from '../../tunnel/control-message.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeAnswer, receiveHeader } from '../../tunnel/stream-header.ts';
import type { Resolved } from '../ports.ts';
import type { Announced, RefusedAnnouncement } from './announcement.ts';
import { Questions } from './questions.ts';

/** The agent must open the control stream and say what it is this soon after the proof; else the tunnel closes. */
const CONTROL_TIMEOUT_MS = 10_000;
/** Messages an agent may send per window; one more closes the tunnel. */
const MAX_MESSAGES = 1200;
const MESSAGE_WINDOW_MS = 60_000;
/** What may wait for an agent that does not read, beyond the window of its stream; then the tunnel closes. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** Refused names told to the agent. */
const MAX_TOLD = 50;

export interface ControlStreamPort {
  renew(): Promise<void>;
  /** Which of the announced resources the agent may not serve. */
  judge(announced: readonly Announced[]): readonly RefusedAnnouncement[];
  refused(refused: readonly RefusedAnnouncement[]): void;
  broken(reason: string): void;
}

/** The relay's end of the control stream: what the agent serves, how its targets are, and renewal. */
export class ControlStream {
  /** Names of all that it serves, networks included. */
  resources: ReadonlySet<string> = new Set();
  networks: ReadonlyMap<string, NetworkList> = new Map();
  readonly unreachable = new Set<string>();
  draining = false;
  readonly #port: ControlStreamPort;
  readonly #questions = new Questions();
  #stream: TunnelStream | undefined;
  #timer: NodeJS.Timeout;
  #messages = 0;
  #windowEndsAt = 0;
  #renewing = false;

  constructor(port: ControlStreamPort) {
    this.#port = port;
    this.#timer = setTimeout(() => port.broken('The agent did not open the control stream.'), CONTROL_TIMEOUT_MS);
  }

  /** The first stream of the agent is this one; it may open no other. */
  accept(stream: TunnelStream): boolean {
    if (this.#stream) return false;
    this.#stream = stream;
    this.#open(stream).catch((error: unknown) => this.#port.broken(messageOf(error)));
    return true;
  }

  send(message: RelayMessage): void {
    if (!this.#stream) return;
    if (this.#stream.writableLength > MAX_UNREAD_BYTES)
      return this.#port.broken('The agent does not read its control stream.');
    sendControl(this.#stream, message);
  }

  /** Asks the agent for the address of a name. Never rejects. */
  resolve(resource: string, asked: Endpoint, session: string): Promise<Resolved> {
    return this.#questions.ask(resource, asked, session, (question) => {
      // Its answer is no message of the agent's own accord.
      this.#messages -= 1;
      this.send(question);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#questions.end();
  }

  async #open(stream: TunnelStream): Promise<void> {
    const header = await receiveHeader(stream, CONTROL_TIMEOUT_MS);
    if (header.kind !== 'control') throw new TypeError('The first stream of an agent is the control stream.');
    clearTimeout(this.#timer);
    stream.write(encodeAnswer({ ok: true }));
    receiveControl(
      stream,
      parseAgentMessage,
      (message) => this.#take(message),
      (error) => this.#port.broken(error.message),
    );
    stream.on('close', () => this.#port.broken('The control stream closed.'));
  }

  #take(message: AgentMessage): void {
    const now = performance.now();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + MESSAGE_WINDOW_MS;
      this.#messages = 0;
    }
    this.#messages += 1;
    if (this.#messages > MAX_MESSAGES) return this.#port.broken('Too many control messages.');
    switch (message.type) {
      case 'announce':
        return this.#announced(message);
      case 'health':
        if (message.reachable) this.unreachable.delete(message.resource);
        else if (this.resources.has(message.resource)) this.unreachable.add(message.resource);
        return;
      case 'resolved':
        return this.#questions.take(message);
      case 'renew':
        return this.#renew();
      case 'drain':
        this.draining = true;
        return;
    }
  }

  #announced(message: Announcement): void {
    const networks = new Map(
      Object.entries(message.networks ?? {}).map(([name, texts]) => [name, new NetworkList(texts)]),
    );
    const announced = [...announcedTargets(message), ...announcedNetworks(networks)];
    const refused = this.#port.judge(announced);
    const may = new Set(announced.map(({ resource }) => resource));
    for (const { resource } of refused) {
      may.delete(resource);
      networks.delete(resource);
    }
    this.resources = may;
    this.networks = networks;
    this.unreachable.clear();
    if (refused.length === 0) return;
    this.#port.refused(refused);
    // As many as fit into one message; the rest is in the relay's log.
    this.send({ type: 'refused', resources: refused.slice(0, MAX_TOLD).map((each) => ({ ...each })) });
  }

  /** One at a time; what is asked meanwhile gets the same answer. */
  #renew(): void {
    if (this.#renewing) return;
    this.#renewing = true;
    this.#port.renew().then(
      () => {
        this.#renewing = false;
      },
      (error: unknown) => this.#port.broken(messageOf(error)),
    );
  }
}

type Announcement = Extract<AgentMessage, { type: 'announce' }>;

function announcedTargets({ resources, protocols = {}, ports = {}, networks = {} }: Announcement): Announced[] {
  // Maps, since a resource may be called `constructor`.
  const protocolOf = new Map(Object.entries(protocols));
  const portOf = new Map(Object.entries(ports));
  return resources
    .filter((resource) => !Object.hasOwn(networks, resource))
    .map((resource) => {
      const port = portOf.get(resource);
      const all = port === undefined ? {} : { ports: [{ first: port, last: port }] };
      return { resource, protocol: protocolOf.get(resource) ?? 'http', ...all };
    });
}

function announcedNetworks(networks: ReadonlyMap<string, NetworkList>): Announced[] {
  return [...networks].map(([resource, { ports }]) => ({ resource, protocol: 'network', ports }));
}
