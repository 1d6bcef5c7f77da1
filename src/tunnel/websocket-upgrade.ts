import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES, WebSocketTransport } from './websocket-transport.ts';

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
      maxPayload: MAX_MESSAGE_BYTES,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
  }

  /** Answers 101 (or 400 itself, and then never calls back). The subprotocol must have been offered. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accepted: (transport: WebSocketTransport) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      accepted(new WebSocketTransport(webSocket, socket));
    });
  }
}
