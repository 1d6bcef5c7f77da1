import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { PosternError } from '../lib/errors.ts';
import type { MessageTransport, TransportReceiver } from './transport.ts';

/** What an agent speaks. */
export const SUBPROTOCOL = 'postern.tunnel.v1';
/** What the command line of a person speaks. */
export const CLIENT_SUBPROTOCOL = 'postern.client.v1';

/** A larger WebSocket message closes the connection with 1009. Ours stay below 128 KiB. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Messages kept between the handshake and the tunnel; more than that without a reader closes the connection. */
const MAX_EARLY_MESSAGES = 16;
const CLOSE_TIMEOUT_MS = 2000;
/** Of the body of a refused upgrade. */
const MAX_REFUSAL_CHARACTERS = 8192;
const REFUSAL_TIMEOUT_MS = 2000;

/** Text messages for the handshake first, then binary messages for the tunnel. */
export class WebSocketTransport implements MessageTransport {
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  #receiver: TransportReceiver | undefined;
  #early: (Buffer | string)[] = [];
  #waiter: { resolve(text: string): void; reject(error: Error): void } | undefined;
  #closed: { code: number; reason: string } | undefined;

  constructor(socket: WebSocket, connection: Duplex) {
    this.#socket = socket;
    this.#connection = connection;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: RawData, isBinary: boolean) => this.#message(data, isBinary));
    socket.on('close', (code, reason) => this.#ended(code, reason.toString('utf8')));
    // 'close' follows and says what is needed.
    socket.on('error', () => {});
    connection.on('drain', () => this.#receiver?.drained());
  }

  get receiver(): TransportReceiver | undefined {
    return this.#receiver;
  }

  set receiver(receiver: TransportReceiver | undefined) {
    this.#receiver = receiver;
    const early = this.#early;
    this.#early = [];
    for (const message of early) {
      if (typeof message === 'string') this.#refuseText();
      else receiver?.message(message);
    }
    if (this.#closed) receiver?.closed(this.#closed.code, this.#closed.reason);
  }

  get waitingBytes(): number {
    return this.#connection.writableLength;
  }

  send(messages: readonly Buffer[]): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    // One system call for all of them.
    this.#connection.cork();
    for (const message of messages) this.#socket.send(message);
    this.#connection.uncork();
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** The next text message of the handshake. Rejects with `timeout`, `protocol_violation` or `tunnel_closed`. */
  receiveText(timeoutMs: number): Promise<string> {
    const first = this.#early.shift();
    if (typeof first === 'string') return Promise.resolve(first);
    if (this.#closed) return Promise.reject(closedError(this.#closed));
    if (first)
      return Promise.reject(new PosternError('protocol_violation', 'Data came before the handshake was done.'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiter = undefined;
        reject(new PosternError('timeout', 'The other end did not answer the handshake in time.'));
      }, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#waiter = undefined;
      };
      this.#waiter = {
        resolve: (text) => {
          settle();
          resolve(text);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
    });
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const text = Buffer.from(reason)
      .subarray(0, 120)
      .toString('utf8')
      .replace(/\ufffd+$/, '');
    this.#socket.close(code === 1006 ? 1011 : code, text);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #message(data: RawData, isBinary: boolean): void {
    const message = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    if (this.#receiver) {
      if (isBinary) this.#receiver.message(message);
      else this.#refuseText();
    } else if (this.#waiter) {
      if (isBinary) {
        this.#waiter.reject(new PosternError('protocol_violation', 'Data came before the handshake was done.'));
      } else {
        this.#waiter.resolve(message.toString('utf8'));
      }
    } else {
      this.#early.push(isBinary ? message : message.toString('utf8'));
      if (this.#early.length > MAX_EARLY_MESSAGES) this.#socket.terminate();
    }
  }

  #refuseText(): void {
    this.close(1002, 'A text message after the handshake.');
  }

  #ended(code: number, reason: string): void {
    this.#closed = { code, reason };
    this.#waiter?.reject(closedError(this.#closed));
    this.#receiver?.closed(code, reason);
  }
}

function closedError({ code, reason }: { code: number; reason: string }): PosternError {
  return new PosternError('tunnel_closed', `The connection was closed (${code}${reason ? `: ${reason}` : ''}).`);
}

/** The relay's end. Compression stays off: speed, and compression side channels. */
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

  /** Answers 101 (or 400 itself, and then never calls back). */
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

export interface DialOptions {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Leads to the relay, TLS done. */
  readonly connection: Duplex;
}

/** Somebody refused the upgrade with an HTTP answer. */
export class UpgradeRefusedError extends PosternError {
  readonly status: number;
  /** Media type of the answer; the relay's own are `application/problem+json`. */
  readonly mediaType: string;
  /** The beginning of its body. */
  readonly body: string;
  constructor(status: number, mediaType: string, body: string) {
    super('credential_refused', `The relay answered ${status} instead of opening the tunnel.`);
    this.status = status;
    this.mediaType = mediaType;
    this.body = body;
  }
}

/** The dialling end. Rejects with UpgradeRefusedError, `aborted`, or what the network said. */
export function dialWebSocket(options: DialOptions): Promise<WebSocketTransport> {
  return new Promise((resolve, reject) => {
    const { connection: established, signal } = options;
    const socket = new WebSocket(options.url, options.protocol, {
      headers: { ...options.headers },
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: options.timeoutMs,
      followRedirects: false,
      // A zero mask costs nothing to apply. Masks protect naive intermediaries on plain HTTP; TLS hides the bytes from them.
      generateMask: (mask) => mask.fill(0),
      createConnection: () => established as Socket,
    });
    let connection: Duplex | undefined;
    const abort = () => {
      socket.terminate();
      reject(new PosternError('aborted', 'Connecting was stopped.'));
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    const done = () => signal.removeEventListener('abort', abort);
    socket.on('upgrade', (response) => {
      connection = response.socket;
      // Now, before 'open': the relay's first message may be in the same packet.
      const transport = new WebSocketTransport(socket, response.socket);
      socket.once('open', () => {
        done();
        resolve(transport);
      });
    });
    socket.on('unexpected-response', (request, response) => {
      const mediaType = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
      readBeginning(response, (body) => {
        done();
        request.destroy();
        reject(new UpgradeRefusedError(response.statusCode ?? 0, mediaType.trim().toLowerCase(), body));
      });
    });
    socket.on('error', (error) => {
      done();
      if (!connection || socket.readyState !== WebSocket.OPEN) reject(error);
    });
  });
}

/** Whatever came until the body ended, broke off, is long enough, or lets wait. */
function readBeginning(response: IncomingMessage, take: (text: string) => void): void {
  let body = '';
  const end = () => {
    clearTimeout(timer);
    response.removeAllListeners('data').off('close', end);
    take(body);
  };
  const timer = setTimeout(end, REFUSAL_TIMEOUT_MS);
  response.setEncoding('utf8').on('data', (text: string) => {
    body = (body + text).slice(0, MAX_REFUSAL_CHARACTERS);
    if (body.length === MAX_REFUSAL_CHARACTERS) end();
  });
  response.on('error', () => {}).on('close', end);
}
