import type { Duplex } from 'node:stream';
import { PosternError } from '../lib/errors.ts';
import type { MessageTransport, TransportReceiver } from './transport.ts';
import { WebSocketDecoder } from './websocket-decoder.ts';
import { encodeFrameHeader, MAX_CONTROL_BYTES, Opcode } from './websocket-frame.ts';

/** Longest message of ours: some other implementations hold a whole one before they look at it. */
const MESSAGE_BYTES = 256 * 1024;
/** Bytes and texts kept between the handshake and the tunnel; more than that without a reader ends the connection. */
const MAX_EARLY = 16;
/** Pings are not answered while so much waits: the peer asks faster than it reads. */
const MAX_WAITING_BYTES = 1024 * 1024;
const CLOSE_TIMEOUT_MS = 2000;

/** A WebSocket (RFC 6455) after its opening handshake: text messages first, then binary messages for the tunnel. */
export class WebSocketTransport implements MessageTransport {
  readonly #connection: Duplex;
  /** Diallers mask. */
  readonly #dialled: boolean;
  #receiver: TransportReceiver | undefined;
  #early: (Buffer | string)[] = [];
  #waiter: { resolve(text: string): void; reject(error: Error): void } | undefined;
  #closeSent = false;
  /** What the peer's close frame said. */
  #peerClosed: { code: number; reason: string } | undefined;
  #ended = false;

  /** `head`: bytes that came with the end of the opening handshake. */
  constructor(connection: Duplex, side: 'dialler' | 'relay', head: Buffer) {
    this.#connection = connection;
    this.#dialled = side === 'dialler';
    const decoder = new WebSocketDecoder(
      {
        data: (chunk) => this.#data(chunk),
        text: (text) => this.#text(text),
        control: (opcode, payload) => this.#control(opcode, payload),
        violated: (code, what) => this.close(code, what),
      },
      side === 'relay',
    );
    connection.on('drain', () => this.#receiver?.drained());
    // 'close' follows and says what is needed.
    connection.on('error', () => {});
    connection.on('end', () => connection.end());
    connection.on('close', () => this.#lost());
    connection.on('data', (bytes: Buffer) => decoder.decode(bytes));
    if (head.length > 0) decoder.decode(head);
    connection.resume();
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
    if (this.#ended) receiver?.closed(this.#end.code, this.#end.reason);
  }

  get waitingBytes(): number {
    return this.#connection.writableLength;
  }

  send(pieces: readonly Buffer[], taken?: (error?: Error | null) => void): void {
    if (this.#closeSent || this.#ended) {
      if (taken) process.nextTick(taken, closedError(this.#end));
      return;
    }
    // One system call for all of them.
    this.#connection.cork();
    let at = 0;
    while (at < pieces.length) {
      let bytes = pieces[at]?.length ?? 0;
      let end = at + 1;
      for (; end < pieces.length && bytes + (pieces[end]?.length ?? 0) <= MESSAGE_BYTES; end += 1)
        bytes += pieces[end]?.length ?? 0;
      this.#connection.write(encodeFrameHeader(Opcode.binary, bytes, this.#dialled));
      for (; at < end; at += 1) this.#connection.write(pieces[at], at === pieces.length - 1 ? taken : undefined);
    }
    this.#connection.uncork();
  }

  sendText(text: string): void {
    this.#sendFrame(Opcode.text, Buffer.from(text));
  }

  /** The next text message of the handshake. Rejects with `timeout`, `protocol_violation` or `tunnel_closed`. */
  receiveText(timeoutMs: number): Promise<string> {
    const first = this.#early.shift();
    if (typeof first === 'string') return Promise.resolve(first);
    if (this.#ended) return Promise.reject(closedError(this.#end));
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
    if (this.#closeSent || this.#ended) return;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code === 1006 ? 1011 : code);
    this.#sendFrame(Opcode.close, Buffer.concat([payload, cutText(reason)]));
    this.#closeSent = true;
    // The peer answers with its own close frame, and the relay then ends the connection (§7.1.1).
    if (this.#peerClosed) this.#connection.end();
    const timer = setTimeout(() => this.#connection.destroy(), CLOSE_TIMEOUT_MS);
    this.#connection.once('close', () => clearTimeout(timer));
  }

  get #end(): { code: number; reason: string } {
    return this.#peerClosed ?? { code: 1006, reason: '' };
  }

  #data(chunk: Buffer): void {
    if (this.#peerClosed) return;
    if (this.#receiver) this.#receiver.message(chunk);
    else if (this.#waiter)
      this.#waiter.reject(new PosternError('protocol_violation', 'Data came before the handshake was done.'));
    else this.#keep(chunk);
  }

  #text(text: string): void {
    if (this.#peerClosed) return;
    if (this.#receiver) this.#refuseText();
    else if (this.#waiter) this.#waiter.resolve(text);
    else this.#keep(text);
  }

  #keep(message: Buffer | string): void {
    this.#early.push(message);
    if (this.#early.length > MAX_EARLY) this.#connection.destroy();
  }

  #control(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.ping && this.waitingBytes < MAX_WAITING_BYTES) this.#sendFrame(Opcode.pong, payload);
    if (opcode !== Opcode.close || this.#peerClosed) return;
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.#peerClosed = { code, reason: payload.toString('utf8', 2) };
    if (this.#closeSent) this.#connection.end();
    else this.close(code === 1005 ? 1000 : code, '');
  }

  #sendFrame(opcode: number, payload: Buffer): void {
    if (this.#closeSent || this.#ended) return;
    this.#connection.cork();
    this.#connection.write(encodeFrameHeader(opcode, payload.length, this.#dialled));
    this.#connection.write(payload);
    this.#connection.uncork();
  }

  #refuseText(): void {
    this.close(1002, 'A text message after the handshake.');
  }

  #lost(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiter?.reject(closedError(this.#end));
    this.#receiver?.closed(this.#end.code, this.#end.reason);
  }
}

/** As much as a close frame holds, in whole characters. */
function cutText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const room = MAX_CONTROL_BYTES - 2;
  if (bytes.length <= room) return bytes;
  return Buffer.from(bytes.toString('utf8', 0, room).replace(/\ufffd+$/, ''));
}

function closedError({ code, reason }: { code: number; reason: string }): PosternError {
  return new PosternError('tunnel_closed', `The connection was closed (${code}${reason ? `: ${reason}` : ''}).`);
}
