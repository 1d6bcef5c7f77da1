import type { Session } from '../../domain/session.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { receiveHeader } from '../../tunnel/stream-header.ts';
import type { MessageTransport } from '../../tunnel/transport.ts';
import { Tunnel } from '../../tunnel/tunnel.ts';
import type { TunnelEndCode } from '../../tunnel/tunnel-end.ts';
import { RELAY_STOPPING } from '../answer/refusal.ts';
import { CONNECTION_HEADER_MS } from '../limits.ts';
import type { Connection, ConnectionClient } from './connection.ts';
import { Notices } from './notices.ts';
import type { Shares } from './shares.ts';
import { TunnelConnection } from './tunnel-connection.ts';

/** The relay's end of the tunnel of one command line. Each stream that it opens comes to the door by itself. */
export class ClientTunnel {
  readonly client: ConnectionClient;
  /** As last read. */
  session: Session;
  readonly #tunnel: Tunnel;
  readonly #notices = new Notices(() => this.#tunnel.open());
  readonly #enter: (connection: Connection) => void;
  #draining = false;

  constructor(transport: MessageTransport, { client, session, streams, heartbeatMs, enter }: ClientTunnelParts) {
    this.client = client;
    this.session = session;
    this.#enter = enter;
    const person = session.principal.id;
    this.#tunnel = new Tunnel(transport, {
      side: 'relay',
      heartbeatMs,
      accept: (stream) => {
        if (!streams.take(person)) return false;
        stream.once('close', () => streams.giveBack(person));
        void this.#accept(stream);
        return true;
      },
    });
  }

  get closed(): boolean {
    return this.#tunnel.end !== undefined;
  }

  /** Fires once when the tunnel has ended. */
  get ended(): AbortSignal {
    return this.#tunnel.ended;
  }

  /** What is open goes on; the client opens new streams elsewhere or on a new tunnel. */
  drain(): void {
    this.#draining = true;
    this.#tunnel.leave();
  }

  end(code: TunnelEndCode, reason: string): void {
    this.#tunnel.close(code, reason);
  }

  async #accept(stream: TunnelStream): Promise<void> {
    try {
      const header = await receiveHeader(stream, CONNECTION_HEADER_MS);
      if (header.kind === 'control' || header.kind === 'notice') return void stream.destroy();
      const { destination } = header;
      const resource = header.kind === 'resource' ? header.resource : undefined;
      const connection = new TunnelConnection(this.client, { resource, destination }, stream, this.#notices);
      if (this.#draining) connection.refuse(RELAY_STOPPING);
      else this.#enter(connection);
    } catch {
      stream.destroy();
    }
  }
}

export interface ClientTunnelParts {
  readonly client: ConnectionClient;
  readonly session: Session;
  /** Of all tunnels, by person. */
  readonly streams: Shares;
  readonly heartbeatMs: number;
  readonly enter: (connection: Connection) => void;
}
