import { release } from './read-memory.ts';

/** Chunks below this are gathered into one buffer, so that a peer that sends single bytes cannot make each cost an object and keep its whole message alive. */
const SMALL_BYTES = 2048;
const GATHER_BYTES = 4096;

/** Bytes that wait for a reader; memory stays within about twice their number. */
export class ChunkQueue {
  #chunks: Buffer[] = [];
  #head = 0;
  /** Free room at the end of the last chunk, when that is a gathering buffer. */
  #gather: Buffer | undefined;
  #gathered = 0;
  bytes = 0;

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#seal();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#gather && this.#gathered + chunk.length > GATHER_BYTES) this.#seal();
    this.#gather ??= Buffer.allocUnsafeSlow(GATHER_BYTES);
    chunk.copy(this.#gather, this.#gathered);
    this.#gathered += chunk.length;
    release(chunk);
  }

  shift(): Buffer | undefined {
    if (this.#head === this.#chunks.length) this.#seal();
    const chunk = this.#chunks[this.#head];
    if (!chunk) return undefined;
    this.#head += 1;
    if (this.#head === this.#chunks.length || this.#head === 1024) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    this.bytes -= chunk.length;
    return chunk;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#gather = undefined;
    this.#gathered = 0;
    this.bytes = 0;
  }

  #seal(): void {
    if (this.#gather && this.#gathered > 0) this.#chunks.push(this.#gather.subarray(0, this.#gathered));
    this.#gather = undefined;
    this.#gathered = 0;
  }
}
