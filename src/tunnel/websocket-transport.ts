import type { Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import { PosternError } from '../lib/errors.ts';
import type { MessageTransport, TransportReceiver } from './transport.ts';

/** A larger message of the peer closes the connection with 1009. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Longest message of ours: the other end copies a message that came in two reads, and of short ones few do. */
const MESSAGE_BYTES = 16 * 1024;
/** Messages kept between the handshake and the tunnel; more than that without a reader ends the connection. */
const MAX_EARLY = 16;
const CLOSE_TIMEOUT_MS = 2000;
/** RFC 6455 §5.5: a close frame holds 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

/** A WebSocket after its opening handshake: text messages first, then binary messages for the tunnel. */
export class WebSocketTransport implements MessageTransport {
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  #receiver: TransportReceiver | undefined;
  #early: (Buffer | string)[] = [];
  #waiter: { resolve(text: string): void; reject(error: Error): void } | undefined;
  #closed: { code: number; reason: string } | undefined;

  /** `connection` is what carries the socket. */
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

  send(pieces: readonly Buffer[], taken?: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      if (taken) process.nextTick(taken, closedError(this.#closed ?? LOST));
      return;
    }
    // One system call for all of them.
    this.#connection.cork();
    const last = pieces.length - 1;
    for (const [index, piece] of pieces.entries()) {
      let at = 0;
      for (; piece.length - at > MESSAGE_BYTES; at += MESSAGE_BYTES)
        this.#socket.send(piece.subarray(at, at + MESSAGE_BYTES));
      this.#socket.send(at === 0 ? piece : piece.subarray(at), index === last ? taken : undefined);
    }
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
    this.#socket.close(code === 1006 ? 1011 : code, cutText(reason));
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
      if (this.#early.length > MAX_EARLY) this.#socket.terminate();
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

const LOST = { code: 1006, reason: '' };

/** As much as a close frame holds, in whole characters. */
function cutText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_REASON_BYTES) return bytes;
  return Buffer.from(bytes.toString('utf8', 0, MAX_REASON_BYTES).replace(/\ufffd+$/, ''));
}

function closedError({ code, reason }: { code: number; reason: string }): PosternError {
  return new PosternError('tunnel_closed', `The connection was closed (${code}${reason ? `: ${reason}` : ''}).`);
}
