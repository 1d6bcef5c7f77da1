import { release } from './read-memory.ts';
import {
  decodeFrameHeader,
  type FrameHeader,
  frameHeaderBytes,
  MAX_CONTROL_BYTES,
  MAX_HEADER_BYTES,
  Opcode,
  unmask,
} from './websocket-frame.ts';

/** A larger message, in one frame or several, is answered with 1009. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Texts belong to the handshake. */
const MAX_TEXT_BYTES = 64 * 1024;

/** What the decoder found. */
export interface WebSocketSink {
  /** Bytes of binary messages: a view into what was read. Where a message begins or ends is not told. */
  data(chunk: Buffer): void;
  text(text: string): void;
  /** Close, ping or pong. */
  control(opcode: number, payload: Buffer): void;
  /** The peer broke the protocol; nothing is decoded after it. `closeCode` as RFC 6455 §7.4.1 says. */
  violated(closeCode: number, what: string): void;
}

/** Incremental: takes the bytes of a connection in any cut, and passes binary payload on as it comes, uncopied. */
export class WebSocketDecoder {
  readonly #sink: WebSocketSink;
  readonly #peerMasks: boolean;
  readonly #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #frame: FrameHeader | undefined;
  #payloadLeft = 0;
  /** Opcode of the message that is not complete; 0 between messages. */
  #message: number = Opcode.continuation;
  #messageBytes = 0;
  #text: Buffer[] = [];
  #control: Buffer[] = [];
  #stopped = false;

  /** `peerMasks`: as diallers do, and they alone. */
  constructor(sink: WebSocketSink, peerMasks: boolean) {
    this.#sink = sink;
    this.#peerMasks = peerMasks;
  }

  decode(bytes: Buffer): void {
    let at = 0;
    let passedOn = 0;
    while (at < bytes.length && !this.#stopped) {
      const frame = this.#frame;
      if (!frame) {
        at = this.#headerPart(bytes, at);
        continue;
      }
      const end = Math.min(bytes.length, at + this.#payloadLeft);
      const chunk = bytes.subarray(at, end);
      at = end;
      if (frame.mask) unmask(chunk, frame.mask, frame.payloadBytes - this.#payloadLeft);
      this.#payloadLeft -= chunk.length;
      if (frame.opcode >= Opcode.close) this.#control.push(Buffer.from(chunk));
      else if (this.#message === Opcode.text) this.#text.push(Buffer.from(chunk));
      else {
        passedOn += chunk.length;
        this.#sink.data(chunk);
      }
      if (this.#payloadLeft === 0) this.#frameEnded(frame);
    }
    release(bytes, bytes.length - passedOn);
  }

  /** Returns where the header, or what there is of it, ends. */
  #headerPart(bytes: Buffer, from: number): number {
    const wanted = frameHeaderBytes(this.#header, this.#headerBytes);
    const end = Math.min(bytes.length, from + wanted - this.#headerBytes);
    bytes.copy(this.#header, this.#headerBytes, from, end);
    this.#headerBytes += end - from;
    if (this.#headerBytes < frameHeaderBytes(this.#header, this.#headerBytes)) return end;
    this.#headerBytes = 0;
    const frame = decodeFrameHeader(this.#header);
    if (!this.#admit(frame)) return end;
    this.#frame = frame;
    this.#payloadLeft = frame.payloadBytes;
    if (frame.payloadBytes === 0) this.#frameEnded(frame);
    return end;
  }

  #admit({ final, reserved, opcode, masked, payloadBytes }: FrameHeader): boolean {
    if (reserved) return this.#violation(1002, 'A reserved bit is set.');
    if (masked !== this.#peerMasks) return this.#violation(1002, 'Diallers mask, and they alone.');
    if (opcode >= Opcode.close) {
      if (opcode > Opcode.pong) return this.#violation(1002, `Unknown opcode ${opcode}.`);
      return (final && payloadBytes <= MAX_CONTROL_BYTES) || this.#violation(1002, 'A control frame is cut or long.');
    }
    if (opcode > Opcode.binary) return this.#violation(1002, `Unknown opcode ${opcode}.`);
    const begins = opcode !== Opcode.continuation;
    if (begins !== (this.#message === Opcode.continuation))
      return this.#violation(1002, 'A message begins within another, or goes on without a beginning.');
    if (begins) {
      this.#message = opcode;
      this.#messageBytes = 0;
    }
    this.#messageBytes += payloadBytes;
    const limit = this.#message === Opcode.text ? MAX_TEXT_BYTES : MAX_MESSAGE_BYTES;
    return this.#messageBytes <= limit || this.#violation(1009, `A message above ${limit} bytes.`);
  }

  #frameEnded({ opcode, final }: FrameHeader): void {
    this.#frame = undefined;
    if (opcode >= Opcode.close) {
      const payload = Buffer.concat(this.#control);
      this.#control = [];
      this.#sink.control(opcode, payload);
    } else if (final) {
      const message = this.#message;
      this.#message = Opcode.continuation;
      if (message === Opcode.text) this.#textEnded();
    }
  }

  #textEnded(): void {
    const bytes = Buffer.concat(this.#text);
    this.#text = [];
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.#violation(1007, 'A text is not UTF-8.');
      return;
    }
    this.#sink.text(text);
  }

  #violation(closeCode: number, what: string): false {
    this.#stopped = true;
    this.#sink.violated(closeCode, what);
    return false;
  }
}
