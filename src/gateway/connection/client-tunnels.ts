import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_USER_AGENT } from '../../domain/audit-event/event-base.ts';
import type { Change, TerminationReason } from '../../domain/change.ts';
import type { Session } from '../../domain/session.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { HEARTBEAT_MS } from '../../tunnel/heartbeat.ts';
import { closeCodeOf } from '../../tunnel/tunnel-end.ts';
import type { WebSocketTransport } from '../../tunnel/websocket-transport.ts';
import { CLIENT_SUBPROTOCOL, WebSocketAcceptor } from '../../tunnel/websocket-upgrade.ts';
import type { Credential } from '../access/3-identify.ts';
import { readIdentity } from '../access/3-identify.ts';
import { accessConnection } from '../access.ts';
import { terminationText } from '../answer/terminated.ts';
import type { Door } from '../door.ts';
import {
  MAX_CLIENT_STREAMS_PER_PERSON,
  MAX_CLIENT_TUNNELS,
  MAX_CLIENT_TUNNELS_PER_PERSON,
  MAX_CLIENT_TUNNELS_PER_SESSION,
} from '../limits.ts';
import { refuseUpgrade } from '../tunnel/refuse-upgrade.ts';
import { bearerOf, upgradeFault } from '../tunnel/upgrade-request.ts';
import { ClientTunnel } from './client-tunnel.ts';
import { Shares } from './shares.ts';

/** The tunnels of people's command lines, and of programs: one lives as long as the session behind its token. */
export class ClientTunnels {
  readonly #door: Door;
  readonly #acceptor = new WebSocketAcceptor(CLIENT_SUBPROTOCOL);
  readonly #open = new Set<ClientTunnel>();
  readonly #streams = new Shares(MAX_CLIENT_STREAMS_PER_PERSON);
  /** Upgrades whose session is being read. */
  #opening = 0;
  #stopping = false;

  constructor(door: Door) {
    this.#door = door;
  }

  /** Open ones. */
  get count(): number {
    return this.#open.size;
  }

  /** For `GET /tunnel` with the clients' subprotocol; owns the socket from here on. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the WebSocket has the socket, and after a refusal, nobody else listens.
    socket.on('error', () => {});
    this.#opening += 1;
    this.#admit(request, socket, head)
      .catch((error: unknown) => {
        this.#door.log?.warn({ error: messageOf(error) }, 'the tunnel of a command line could not be opened');
        refuseUpgrade(socket, 503, 'Your session cannot be checked right now. Try again.', this.#door.clock());
      })
      .finally(() => {
        this.#opening -= 1;
      });
  }

  /** Call it when the accesses on these tunnels have been reviewed. */
  onChange(change: Change): void {
    switch (change.kind) {
      case 'session_revoked':
        return this.#end(({ session }) => session.id === change.session, change.reason);
      case 'principal_changed':
        for (const tunnel of this.#open) {
          if (tunnel.session.principal.id === change.principal) void this.#review(tunnel);
        }
        return;
      case 'everything_changed':
        for (const tunnel of this.#open) void this.#review(tunnel);
        return;
      // What they change concerns the accesses alone.
      case 'snapshot_changed':
      case 'agent_revoked':
      case 'agent_drained':
    }
  }

  sweep(): void {
    const now = this.#door.clock();
    this.#end(({ session }) => session.expiresAt <= now, 'session_expired');
  }

  drain(): void {
    this.#stopping = true;
    for (const tunnel of this.#open) tunnel.drain();
  }

  close(): void {
    this.#stopping = true;
    for (const tunnel of this.#open) tunnel.end('relay_stopping', 'The relay is stopping.');
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { ports, clock } = this.#door;
    const address = clientAddress(request);
    const fault = upgradeFault(request, CLIENT_SUBPROTOCOL);
    if (fault) {
      ports.strangers.refused('tunnel_upgrade_malformed', address);
      return refuseUpgrade(socket, fault.status, fault.title, clock());
    }
    if (this.#stopping || this.#open.size + this.#opening > MAX_CLIENT_TUNNELS)
      return refuseUpgrade(socket, 503, 'The relay takes no new tunnels now. Try again.', clock());
    const credential: Credential = { via: 'token', text: bearerOf(request) ?? '', audience: ports.relay.origin };
    const identity = credential.text.startsWith('pst_') ? await readIdentity(ports, credential) : undefined;
    if (identity === undefined) {
      ports.strangers.refused('tunnel_credential_invalid', address);
      return refuseUpgrade(socket, 401, 'Sign in first: this token opens no live session.', clock());
    }
    const { session } = identity;
    if (this.#isFull(session))
      return refuseUpgrade(socket, 503, 'You have too many tunnels open. Close some.', clock());
    if (socket.destroyed) return;
    const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT);
    this.#acceptor.accept(request, socket, head, (transport) =>
      this.#accepted(transport, { credential, address, userAgent }, session),
    );
  }

  #accepted(transport: WebSocketTransport, client: ClientTunnel['client'], session: Session): void {
    const { sessions } = this.#door.ports;
    // While the session was read, it may have ended or the relay been told to stop.
    if (this.#stopping) return transport.close(closeCodeOf('relay_stopping'), 'The relay is stopping.');
    if (!sessions.isCurrent(session)) return transport.close(closeCodeOf('session_ended'), 'Your session has changed.');
    transport.sendText(JSON.stringify({ type: 'ready', tunnel: sortableId(), now: this.#door.clock() }));
    const tunnel = new ClientTunnel(transport, {
      client,
      session,
      streams: this.#streams,
      heartbeatMs: HEARTBEAT_MS,
      enter: (connection) => void accessConnection(this.#door, connection),
    });
    if (tunnel.closed) return;
    this.#open.add(tunnel);
    tunnel.ended.addEventListener('abort', () => this.#open.delete(tunnel), { once: true });
  }

  #isFull({ id, principal }: Session): boolean {
    const persons = [...this.#open].filter(({ session }) => session.principal.id === principal.id);
    const own = persons.filter(({ session }) => session.id === id);
    return persons.length >= MAX_CLIENT_TUNNELS_PER_PERSON || own.length >= MAX_CLIENT_TUNNELS_PER_SESSION;
  }

  #end(which: (tunnel: ClientTunnel) => boolean, reason: TerminationReason): void {
    for (const tunnel of this.#open) {
      if (which(tunnel)) tunnel.end('session_ended', `Closed: ${terminationText(reason)}.`);
    }
  }

  /** Something about the person changed: the token must still open the same session. */
  async #review(tunnel: ClientTunnel): Promise<void> {
    try {
      const identity = await readIdentity(this.#door.ports, tunnel.client.credential);
      if (identity?.session.id === tunnel.session.id) tunnel.session = identity.session;
      else tunnel.end('session_ended', `Closed: ${terminationText('session_revoked')}.`);
    } catch (error) {
      this.#door.log?.warn({ error: messageOf(error) }, 'the tunnel of a command line could not be reviewed');
      tunnel.end('session_ended', `Closed: ${terminationText('authority_lost')}.`);
    }
  }
}
