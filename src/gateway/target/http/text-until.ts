import { BadAnswerError } from './bad-answer.ts';

const FIRST_BYTES = 512;

/** Collects text up to and with a mark, over any cuts of the bytes; bounded. One text after the other. */
export class TextUntil {
  readonly #mark: string;
  readonly #maxBytes: number;
  #gathered: Buffer | undefined;
  #have = 0;
  /** Where in the last chunk the bytes after the mark begin. */
  next = 0;

  constructor(mark: string, maxBytes: number) {
    this.#mark = mark;
    this.#maxBytes = maxBytes;
  }

  /** The first of what came so far, when the mark has not. */
  get begun(): string {
    return this.#gathered?.toString('latin1', 0, Math.min(this.#have, FIRST_BYTES)) ?? '';
  }

  /** Undefined: all of the chunk is taken and the mark has not come. Throws BadAnswerError beyond the bound. */
  take(chunk: Buffer, at: number): string | undefined {
    if (this.#have === 0) {
      const end = chunk.indexOf(this.#mark, at, 'latin1');
      if (end !== -1) {
        this.next = end + this.#mark.length;
        if (this.next - at > this.#maxBytes) throw this.#tooLong();
        return chunk.toString('latin1', at, this.next);
      }
    }
    const before = this.#have;
    const gathered = this.#gather(chunk, at);
    const end = gathered.subarray(0, this.#have).indexOf(this.#mark, Math.max(0, before - this.#mark.length), 'latin1');
    if (end === -1) {
      if (this.#have > this.#maxBytes) throw this.#tooLong();
      return undefined;
    }
    const length = end + this.#mark.length;
    if (length > this.#maxBytes) throw this.#tooLong();
    this.next = at + length - before;
    this.#have = 0;
    this.#gathered = undefined;
    return gathered.toString('latin1', 0, length);
  }

  /** Room doubles, so that single bytes do not cost their square. */
  #gather(chunk: Buffer, at: number): Buffer {
    const taken = Math.min(chunk.length - at, this.#maxBytes + 1 - this.#have);
    let gathered = this.#gathered ?? Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, taken));
    if (this.#have + taken > gathered.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(gathered.length * 2, this.#have + taken));
      gathered.copy(larger, 0, 0, this.#have);
      gathered = larger;
    }
    chunk.copy(gathered, this.#have, at, at + taken);
    this.#gathered = gathered;
    this.#have += taken;
    return gathered;
  }

  #tooLong(): BadAnswerError {
    return new BadAnswerError(
      `The target sent more than ${this.#maxBytes} bytes where the answer's head or a line should end.`,
    );
  }
}
