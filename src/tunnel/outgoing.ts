import { HEADER_BYTES, writeHeader } from './frame.ts';
import type { FrameWriter } from './stream.ts';

/** Payloads from here on are pieces of their own, uncopied; smaller ones are gathered. */
const LARGE_BYTES = 16 * 1024;
/** Control frames that wait: one reset and one credit per stream, and pongs. Beyond it the peer is flooding us. */
const MAX_CONTROL_FRAMES = 8192;

/** What `drain` gives. */
export interface OutgoingPieces {
  readonly pieces: readonly Buffer[];
  /** To be called when the network has taken them, or will not take them any more. */
  readonly taken: readonly ((error?: Error | null) => void)[];
}

/** Frames of one tick, packed into as few pieces as copying little allows. */
export class OutgoingFrames implements FrameWriter {
  #control = Buffer.allocUnsafe(64 * HEADER_BYTES);
  #controlBytes = 0;
  #pieces: Buffer[] = [];
  #taken: ((error?: Error | null) => void)[] = [];
  #parts: Buffer[] = [];
  #partBytes = 0;
  #bytes = 0;

  /** Bytes packed since the last `drain`. */
  get bytes(): number {
    return this.#bytes + this.#controlBytes;
  }

  /** Before all data, in order. False: too many wait. */
  control(type: number, flags: number, streamId: number, length: number): boolean {
    if (this.#controlBytes >= MAX_CONTROL_FRAMES * HEADER_BYTES) return false;
    if (this.#controlBytes === this.#control.length) {
      const larger = Buffer.allocUnsafe(this.#control.length * 2);
      this.#control.copy(larger);
      this.#control = larger;
    }
    writeHeader(this.#control, this.#controlBytes, type, flags, streamId, length);
    this.#controlBytes += HEADER_BYTES;
    return true;
  }

  /** Moves the waiting control frames to the front; call before the first `write` of a tick. */
  startTick(): void {
    if (this.#controlBytes === 0) return;
    const frames = Buffer.allocUnsafe(this.#controlBytes);
    this.#control.copy(frames, 0, 0, this.#controlBytes);
    this.#add(frames);
    this.#controlBytes = 0;
  }

  write(type: number, flags: number, streamId: number, length: number, payload: readonly Buffer[]): void {
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    writeHeader(header, 0, type, flags, streamId, length);
    this.#add(header);
    for (const chunk of payload) {
      if (chunk.length < LARGE_BYTES) {
        this.#add(chunk);
      } else {
        this.#seal();
        this.#pieces.push(chunk);
        this.#bytes += chunk.length;
      }
    }
  }

  whenTaken(taken: (error?: Error | null) => void): void {
    this.#taken.push(taken);
  }

  drain(): OutgoingPieces {
    this.#seal();
    const drained = { pieces: this.#pieces, taken: this.#taken };
    this.#pieces = [];
    this.#taken = [];
    this.#bytes = 0;
    return drained;
  }

  #add(part: Buffer): void {
    if (this.#partBytes + part.length > 4 * LARGE_BYTES) this.#seal();
    this.#parts.push(part);
    this.#partBytes += part.length;
    this.#bytes += part.length;
  }

  #seal(): void {
    const [first] = this.#parts;
    if (!first) return;
    this.#pieces.push(this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#partBytes));
    this.#parts = [];
    this.#partBytes = 0;
  }
}
