import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuditAppender } from '../../domain/audit-event.ts';
import type { DeviceCredential } from '../../domain/device-credential.ts';
import type { TunnelView } from '../../domain/live.ts';
import { clientAddress } from '../../lib/client-address.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import type { Logger } from '../../lib/log.ts';
import { within } from '../../lib/wait.ts';
import { closeCodeOf } from '../../tunnel/tunnel-end.ts';
import type { WebSocketTransport } from '../../tunnel/websocket-transport.ts';
import { SUBPROTOCOL, WebSocketAcceptor } from '../../tunnel/websocket-upgrade.ts';
import type { StrangerMeter, TunnelDirectory } from '../ports.ts';
import { AgentRecorder } from './agent-recorder.ts';
import type { AnnouncementJudge } from './announcement.ts';
import type { CredentialPort } from './credential-port.ts';
import { LiveTunnel } from './live-tunnel.ts';
import { LiveTunnels } from './live-tunnels.ts';
import { Proving } from './proof.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { bearerOf, upgradeFault } from './upgrade-request.ts';

/** Verifying a credential must not take longer, whatever it waits for. */
const VERIFY_TIMEOUT_MS = 5000;
/** Upgrades between their first byte and their proof. Beyond it: 503, the agent tries again. */
const MAX_UNPROVEN = 256;
const STOPPING = 'The relay is stopping.';

export interface AgentTunnelsPorts {
  readonly relayId: string;
  /** Public origin of the relay: audience of the proof. */
  readonly relayOrigin: string;
  readonly heartbeatMs: number;
  readonly credentials: CredentialPort;
  readonly judgeAnnouncement: AnnouncementJudge;
  readonly audit: AuditAppender;
  readonly strangers: StrangerMeter;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface AgentTunnels {
  /** For `GET /tunnel` with `Upgrade`; owns the socket from here on. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly directory: TunnelDirectory;
  list(): readonly TunnelView[];
  /** Ends all tunnels of the agent now. */
  endAgent(agent: string, reason: string): void;
  /** Takes no new tunnels and asks agents to connect elsewhere or again; what is open lives on until `close`. */
  drain(): void;
  /** Ends all tunnels, takes no new ones, and waits until `agent.disconnected` was handed to the audit log. */
  close(): Promise<void>;
}

/** The relay's end of agents' tunnels: credential, proof of the key, control stream, directory. */
export function createAgentTunnels(ports: AgentTunnelsPorts): AgentTunnels {
  const acceptor = new WebSocketAcceptor(SUBPROTOCOL);
  const live = new LiveTunnels();
  const recorder = new AgentRecorder(ports);
  const proving = new Set<WebSocketTransport>();
  let unproven = 0;
  let stopped = false;

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const address = clientAddress(request);
    const fault = upgradeFault(request, SUBPROTOCOL);
    if (fault) {
      ports.strangers.refused('tunnel_upgrade_malformed', address);
      return refuseUpgrade(socket, fault.status, fault.title, ports.clock());
    }
    if (stopped || unproven >= MAX_UNPROVEN) {
      return refuseUpgrade(socket, 503, 'The relay takes no new tunnels now. Try again.', ports.clock());
    }
    unproven += 1;
    try {
      const credential = await verified(bearerOf(request));
      if (!credential) {
        ports.strangers.refused('tunnel_credential_invalid', address);
        return refuseUpgrade(socket, 401, 'A valid device credential is needed.', ports.clock());
      }
      if (ports.credentials.isRevoked(credential.agent)) {
        recorder.refused(credential, 'agent_revoked', address);
        return refuseUpgrade(socket, 401, 'A valid device credential is needed.', ports.clock());
      }
      if (socket.destroyed) return;
      const transport = await new Promise<WebSocketTransport | undefined>((resolve) => {
        socket.once('close', () => resolve(undefined));
        acceptor.accept(request, socket, head, resolve);
      });
      if (!transport) return;
      proving.add(transport);
      await prove(transport, credential, address).finally(() => proving.delete(transport));
    } finally {
      unproven -= 1;
    }
  }

  async function verified(jwt: string | undefined): Promise<DeviceCredential | undefined> {
    if (!jwt) return undefined;
    try {
      return await within(VERIFY_TIMEOUT_MS, 'Verifying a device credential', ports.credentials.verify(jwt));
    } catch (error) {
      ports.log.debug({ error: messageOf(error) }, 'device credential refused');
      return undefined;
    }
  }

  async function prove(transport: WebSocketTransport, credential: DeviceCredential, address: string): Promise<void> {
    const failure = await new Proving(ports).prove(transport, credential);
    if (failure) {
      recorder.refused(credential, failure, address);
      ports.log.warn({ agent: credential.agent, reason: failure }, 'an agent did not prove its key');
      return;
    }
    // While the proof was on its way, the agent may have been revoked or the relay told to stop.
    if (stopped) return transport.close(closeCodeOf('relay_stopping'), STOPPING);
    if (ports.credentials.isRevoked(credential.agent)) {
      return transport.close(closeCodeOf('agent_revoked'), 'The agent was revoked.');
    }
    const id = sortableId();
    transport.sendText(JSON.stringify({ type: 'ready', tunnel: id, now: ports.clock() }));
    const tunnel = new LiveTunnel(id, credential, transport, {
      ...ports,
      refusedAnnouncement: (refused) => recorder.announcementRefused(credential.agent, id, refused),
    });
    if (tunnel.closed) return;
    const beside = live.all().some((other) => other.agent === tunnel.agent);
    live.add(tunnel);
    recorder.connected(tunnel, address, beside);
    ports.log.info({ agent: tunnel.agent, tunnel: id, ...(beside ? { beside } : {}) }, 'agent connected');
  }

  return {
    handleUpgrade(request, socket, head) {
      // Until the WebSocket has the socket, and after a refusal, nobody else listens.
      socket.on('error', () => {});
      admit(request, socket, head).catch((error: unknown) => {
        ports.log.error({ error: messageOf(error) }, 'a tunnel could not be opened');
        socket.destroy();
      });
    },
    directory: live,
    list: () => live.all().map((tunnel) => tunnel.view()),
    endAgent(agent, reason) {
      for (const tunnel of live.all()) if (tunnel.agent === agent) tunnel.end('agent_revoked', reason);
    },
    drain() {
      stopped = true;
      for (const tunnel of live.all()) tunnel.control.send({ type: 'drain', reason: STOPPING });
    },
    async close() {
      stopped = true;
      for (const transport of proving) transport.close(closeCodeOf('relay_stopping'), STOPPING);
      for (const tunnel of live.all()) tunnel.end('relay_stopping', STOPPING);
      await recorder.settled();
    },
  };
}
