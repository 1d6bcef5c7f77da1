import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { reuseReadsOf } from './read-memory.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** What an agent speaks. */
export const SUBPROTOCOL = 'postern.tunnel.v1';
/** What the command line of a person speaks. */
export const CLIENT_SUBPROTOCOL = 'postern.client.v1';

export const WEBSOCKET_VERSION = '13';
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Proves that the request was understood (RFC 6455 §4.2.2, 5.4). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The relay's end of opening handshakes. No extension is taken: compression costs speed and opens side channels. */
export class WebSocketAcceptor {
  readonly #subprotocol: string;

  constructor(subprotocol: string) {
    this.#subprotocol = subprotocol;
  }

  /** Answers 101 (or 400 itself, and then never calls back). The subprotocol must have been offered. */
  accept(
    { headers }: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accepted: (transport: WebSocketTransport) => void,
  ): void {
    const key = headers['sec-websocket-key'] ?? '';
    if (headers['sec-websocket-version'] !== WEBSOCKET_VERSION || !KEY.test(key)) {
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: ${WEBSOCKET_VERSION}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      return;
    }
    keepOpen(socket);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\nSec-WebSocket-Protocol: ${this.#subprotocol}\r\n\r\n`,
    );
    accepted(new WebSocketTransport(reuseReadsOf(socket), 'relay', head));
  }
}

/** Whatever limits HTTP had for the connection are over. */
function keepOpen(socket: Duplex & Partial<Pick<Socket, 'setTimeout' | 'setNoDelay'>>): void {
  socket.setTimeout?.(0);
  socket.setNoDelay?.(true);
}
