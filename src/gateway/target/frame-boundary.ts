/** Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) only so far as to know where one ends. */
export class FrameBoundary {
  /** Bytes of the current frame's payload still to come. */
  #payloadLeft = 0;
  /** Header of the frame that is just beginning. */
  readonly #header = Buffer.alloc(14);
  #headerHave = 0;

  /** Whether a frame of ours could be inserted after the bytes seen. */
  get isBetweenFrames(): boolean {
    return this.#payloadLeft === 0 && this.#headerHave === 0;
  }

  see(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, bytes.length - at);
        this.#payloadLeft -= skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#headerHave] = bytes[at] ?? 0;
      this.#headerHave += 1;
      at += 1;
      if (this.#headerHave >= 2 && this.#headerHave === this.#headerLength()) {
        this.#payloadLeft = this.#payloadLength();
        this.#headerHave = 0;
      }
    }
  }

  #headerLength(): number {
    const second = this.#header[1] ?? 0;
    const extended = (second & 0x7f) === 126 ? 2 : (second & 0x7f) === 127 ? 8 : 0;
    return 2 + extended + (second & 0x80 ? 4 : 0);
  }

  #payloadLength(): number {
    const short = (this.#header[1] ?? 0) & 0x7f;
    if (short < 126) return short;
    return short === 126 ? this.#header.readUInt16BE(2) : Number(this.#header.readBigUInt64BE(2));
  }
}

/** An unmasked close frame, as servers send it: 1008 (policy violation) or 1001 (going away), and a reason of at most 123 bytes. */
export function closeFrame(status: 1001 | 1008, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123);
  return Buffer.concat([Buffer.from([0x88, text.length + 2, status >> 8, status & 0xff]), text]);
}
