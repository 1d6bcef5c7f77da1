import { MAX_TARGET_HEADER_BYTES } from '../../limits.ts';
import { type AnswerFraming, frameAnswer, switchesToWebSocket } from './answer-framing.ts';
import { type AnswerHead, parseAnswerHead } from './answer-head.ts';
import { BadAnswerError } from './bad-answer.ts';
import { ChunkedBody } from './chunked-body.ts';
import { TextUntil } from './text-until.ts';

/** What an answer consists of, in order: any interim ones, then one head, its body. */
export interface AnswerParts {
  interim(head: AnswerHead): void;
  head(head: AnswerHead): void;
  /** A view of the bytes that were read. */
  data(data: Buffer): void;
}

/** `switched`: what follows is not HTTP any more. */
export type AnswerState = 'head' | 'body' | 'ended' | 'switched';

/** The question that an answer is read for. */
export interface Asked {
  readonly method: string;
  readonly upgrade: boolean;
}

const START = 'HTTP/1.';

/** Reads one answer of a target that nobody trusts, over any cuts of its bytes (RFC 9112). */
export class AnswerReader {
  readonly #asked: Asked;
  readonly #parts: AnswerParts;
  readonly #headText = new TextUntil('\r\n\r\n', MAX_TARGET_HEADER_BYTES);
  #framing: AnswerFraming | undefined;
  #chunked: ChunkedBody | undefined;
  #left = 0;
  #state: AnswerState = 'head';
  /** Came behind the answer's end, or behind the head of a 101. */
  #rest: Buffer | undefined;

  constructor(asked: Asked, parts: AnswerParts) {
    this.#asked = asked;
    this.#parts = parts;
  }

  get state(): AnswerState {
    return this.#state;
  }

  get rest(): Buffer | undefined {
    return this.#rest;
  }

  get trailers(): readonly string[] {
    return this.#chunked?.trailers ?? [];
  }

  /** The answer has ended, by itself and with nothing behind it, and the target takes more on the connection. */
  get persists(): boolean {
    return this.#state === 'ended' && this.#rest === undefined && this.#framing?.persists === true;
  }

  get keepAliveMs(): number | undefined {
    return this.#framing?.keepAliveMs;
  }

  /** Throws BadAnswerError; the parts given until then were not a whole answer. */
  read(bytes: Buffer): AnswerState {
    let at = 0;
    while (at < bytes.length && this.#state === 'head') at = this.#readHead(bytes, at);
    if (at < bytes.length && this.#state === 'body') at = this.#readBody(bytes, at);
    if (at < bytes.length) this.#rest = bytes.subarray(at);
    return this.#state;
  }

  /** The target has ended its side. Throws BadAnswerError when that is not where the answer ends. */
  readEnd(): void {
    if (this.#state !== 'body' || this.#framing?.body !== 'closed') {
      throw new BadAnswerError('The target closed its connection before its answer was complete.');
    }
    this.#state = 'ended';
  }

  #readHead(bytes: Buffer, at: number): number {
    const text = this.#headText.take(bytes, at);
    if (text === undefined) {
      refuseBegun(this.#headText.begun);
      return bytes.length;
    }
    const head = parseAnswerHead(text);
    if (head.status === 101) {
      if (!this.#asked.upgrade || !switchesToWebSocket(head)) {
        throw new BadAnswerError('The target switches to a protocol that it was not asked for.');
      }
      this.#state = 'switched';
      this.#parts.head(head);
    } else if (head.status < 200) {
      this.#parts.interim(head);
    } else {
      this.#framing = frameAnswer(head, this.#asked.method);
      this.#left = this.#framing.length;
      this.#state = this.#framing.body === 'none' ? 'ended' : 'body';
      if (this.#framing.body === 'chunked') this.#chunked = new ChunkedBody();
      this.#parts.head(head);
    }
    return this.#headText.next;
  }

  #readBody(bytes: Buffer, at: number): number {
    if (this.#chunked !== undefined) {
      if (!this.#chunked.read(bytes, at, this.#onData)) return bytes.length;
      this.#state = 'ended';
      return this.#chunked.next;
    }
    if (this.#framing?.body === 'closed') {
      this.#parts.data(bytes.subarray(at));
      return bytes.length;
    }
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = 'ended';
    this.#parts.data(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  readonly #onData = (data: Buffer): void => this.#parts.data(data);
}

/** So that what is no answer is known at once, not only when it ends. */
function refuseBegun(text: string): void {
  const lineEnd = text.indexOf('\n');
  const isBegun = lineEnd === -1 ? START.startsWith(text.slice(0, START.length)) : text[lineEnd - 1] === '\r';
  if (!isBegun) throw new BadAnswerError('The target does not answer in HTTP/1.');
}
