import { parseFields } from './answer-head.ts';
import { BadAnswerError } from './bad-answer.ts';
import { TextUntil } from './text-until.ts';

/** A chunk's size with its extensions, and one line of trailers. */
const MAX_LINE_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 64 * 1024;

/** RFC 9112 §7.1: no blanks around the size; extensions are read over. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;

/** Decodes a chunked body over any cuts of its bytes. */
export class ChunkedBody {
  readonly #line = new TextUntil('\n', MAX_LINE_BYTES);
  #next: 'size' | 'data-end' | 'trailers' = 'size';
  /** Bytes of the current chunk still to come. */
  #left = 0;
  #trailerText = '';
  /** Complete once `read` has said so. Flat name-value list. */
  trailers: readonly string[] = [];
  /** Where in the last chunk of bytes the body ended. */
  next = 0;

  /** True when the body has ended. Throws BadAnswerError. */
  read(bytes: Buffer, from: number, onData: (data: Buffer) => void): boolean {
    let at = from;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        onData(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        continue;
      }
      const line = this.#line.take(bytes, at);
      if (line === undefined) return false;
      at = this.#line.next;
      if (this.#readLine(line)) {
        this.next = at;
        return true;
      }
    }
    return false;
  }

  #readLine(line: string): boolean {
    switch (this.#next) {
      case 'size': {
        const size = SIZE_LINE.exec(line)?.[1];
        if (size === undefined) throw new BadAnswerError('The target sent a chunk without a proper size.');
        this.#left = Number.parseInt(size, 16);
        this.#next = this.#left === 0 ? 'trailers' : 'data-end';
        return false;
      }
      case 'data-end':
        if (line !== '\r\n') throw new BadAnswerError('The target sent a chunk that is longer than it said.');
        this.#next = 'size';
        return false;
      case 'trailers':
        this.#trailerText += line;
        if (this.#trailerText.length > MAX_TRAILER_BYTES) {
          throw new BadAnswerError(`The target sent more than ${MAX_TRAILER_BYTES} bytes of trailers.`);
        }
        if (line !== '\r\n') return false;
        this.trailers = parseFields(this.#trailerText, 0);
        return true;
    }
  }
}
