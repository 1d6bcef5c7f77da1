import { release } from './read-memory.ts';

/** yamux framing, version 0 (hashicorp/yamux spec.md): 12 bytes of header, all fields big-endian, payload only on Data. */
export const HEADER_BYTES = 12;

export const FrameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;

export const Flag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;
export const ALL_FLAGS = 15;

/** Length field of a GoAway frame. */
export const GoAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;

/** Writes one header at `offset`. `length` is payload bytes, credit, opaque value or error code, by type. */
export function writeHeader(
  into: Buffer,
  offset: number,
  type: number,
  flags: number,
  streamId: number,
  length: number,
): void {
  into[offset] = 0;
  into[offset + 1] = type;
  into[offset + 2] = 0;
  into[offset + 3] = flags;
  into.writeUInt32BE(streamId, offset + 4);
  into.writeUInt32BE(length, offset + 8);
}

/** What the decoder found. Each method returns false to stop the decoder for good. */
export interface FrameSink {
  /** A header. For Data with length > 0, `payload` calls follow until `length` bytes were given. */
  frame(version: number, type: number, flags: number, streamId: number, length: number): boolean;
  /** A view into the message it came in, not a copy; whoever is done with it may `release` it. */
  payload(chunk: Buffer): boolean;
}

/**
 * Incremental: takes the byte stream in any cut. It holds at most one incomplete header; payload is passed on as it comes,
 * so a large length costs nothing here.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #partial = Buffer.alloc(HEADER_BYTES);
  #partialBytes = 0;
  #payloadLeft = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  decode(message: Buffer): void {
    let at = 0;
    let passedOn = 0;
    while (at < message.length && !this.#stopped) {
      if (this.#payloadLeft > 0) {
        const end = Math.min(message.length, at + this.#payloadLeft);
        this.#payloadLeft -= end - at;
        passedOn += end - at;
        const whole = at === 0 && end === message.length;
        this.#stopped = !this.#sink.payload(whole ? message : message.subarray(at, end));
        at = end;
      } else if (this.#partialBytes === 0 && message.length - at >= HEADER_BYTES) {
        this.#header(message, at);
        at += HEADER_BYTES;
      } else {
        const end = Math.min(message.length, at + HEADER_BYTES - this.#partialBytes);
        message.copy(this.#partial, this.#partialBytes, at, end);
        this.#partialBytes += end - at;
        at = end;
        if (this.#partialBytes === HEADER_BYTES) {
          this.#partialBytes = 0;
          this.#header(this.#partial, 0);
        }
      }
    }
    release(message, message.length - passedOn);
  }

  #header(from: Buffer, at: number): void {
    const type = from.readUInt8(at + 1);
    const length = from.readUInt32BE(at + 8);
    this.#stopped = !this.#sink.frame(
      from.readUInt8(at),
      type,
      from.readUInt16BE(at + 2),
      from.readUInt32BE(at + 4),
      length,
    );
    if (type === FrameType.data) this.#payloadLeft = length;
  }
}
