import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { reuseReadsOf } from './read-memory.ts';
import { HandshakeSocket } from './websocket-handshake.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** What an agent speaks. */
export const SUBPROTOCOL = 'postern.tunnel.v1';
/** What the command line of a person speaks. */
export const CLIENT_SUBPROTOCOL = 'postern.client.v1';

/** The relay's end of opening handshakes. Compression stays off: speed, and compression side channels. */
export class WebSocketAcceptor {
  readonly #server: WebSocketServer;

  constructor(subprotocol: string) {
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
      WebSocket: HandshakeSocket,
    });
  }

  /** Answers 101 (or 400 itself, and then never calls back). The subprotocol must have been offered. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accepted: (transport: WebSocketTransport) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, () => {
      keepOpen(socket);
      accepted(new WebSocketTransport(reuseReadsOf(socket), 'relay', head));
    });
  }
}

/** Whatever limits HTTP had for the connection are over. */
function keepOpen(socket: Duplex & Partial<Pick<Socket, 'setTimeout' | 'setNoDelay'>>): void {
  socket.setTimeout?.(0);
  socket.setNoDelay?.(true);
}
