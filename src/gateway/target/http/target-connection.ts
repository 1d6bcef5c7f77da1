import type { Duplex } from 'node:stream';
import { PosternError } from '../../../lib/errors.ts';
import { STREAM_IDLE_MS } from '../../limits.ts';
import { type AnswerParts, AnswerReader, type Asked } from './answer-reader.ts';

/** A target that is told the end in order has this long to end its side. */
const FAREWELL_MS = 2_000;
/** A target may close an idle connection a little before the time that it names. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/** Whoever asked is told the answer part by part; after `ended`, `switched` or `failed` nothing more. */
export interface Asker extends AnswerParts {
  /** Not the target but the client is waited for. */
  readonly clientIsDue: boolean;
  /** All that has come was told; more may take a while. */
  caughtUp(): void;
  /** The target takes more of the request's body. */
  drained(): void;
  /** `reusable`: the connection can carry another request. */
  ended(trailers: readonly string[], reusable: boolean): void;
  /** After a head with 101: the stream is the asker's now, and `rest` came first. */
  switched(duplex: Duplex, rest: Buffer | undefined): void;
  failed(error: Error): void;
}

export interface Question extends Asked {
  /** One Latin-1 character a byte. */
  readonly head: string;
  readonly body: 'none' | 'length' | 'chunked';
  /** Longest wait for the head of the answer, from the last byte that was sent … */
  readonly headersMs: number;
  /** … and between two parts of its body. */
  readonly idleMs: number;
}

/** HTTP/1.1 on one stream to a target, one request at a time. The first thing that is not as it should be ends it. */
export class TargetConnection {
  readonly #duplex: Duplex;
  /** Called once, whoever ends it. */
  readonly #onClosed: () => void;
  #question: Question | undefined;
  #asker: Asker | undefined;
  #reader: AnswerReader | undefined;
  #isSending = false;
  #isClosed = false;
  /** Between two requests: nothing is under way. */
  #isAtRest = false;
  /** The target is waited for, or nobody asks, since then and for at most so long. */
  #since = performance.now();
  #limitMs = STREAM_IDLE_MS;
  /** Something moved since the last sweep: cheaper to note than the time. */
  #hasMoved = false;
  /** Some byte of the answer has come. */
  #answered = false;

  constructor(duplex: Duplex, onClosed: () => void) {
    this.#duplex = duplex;
    this.#onClosed = onClosed;
    duplex.on('data', this.#onData);
    duplex.on('drain', this.#onDrain);
    duplex.on('end', this.#onEnd);
    duplex.on('close', this.#onClose);
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#duplex.destroyed;
  }

  /** Nobody asks, and it has not been idle for too long. */
  get isFree(): boolean {
    return !this.isClosed && this.#asker === undefined && performance.now() - this.#since < this.#limitMs;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** Writes the head of a request. False, and nothing written: the stream has ended. */
  ask(question: Question, asker: Asker): boolean {
    this.#answered = false;
    if (this.isClosed) return false;
    this.#isAtRest = false;
    this.#question = question;
    this.#asker = asker;
    this.#reader = new AnswerReader(question, asker);
    this.#isSending = question.body !== 'none';
    this.#limitMs = question.headersMs;
    this.#hasMoved = true;
    this.#duplex.write(question.head, 'latin1');
    return true;
  }

  /** Writes some of the request's body. False: wait for `drained`. */
  sendBody(data: Buffer): boolean {
    if (!this.#isSending || data.length === 0) return true;
    this.#hasMoved = true;
    if (this.#question?.body !== 'chunked') return this.#duplex.write(data);
    this.#duplex.cork();
    this.#duplex.write(`${data.length.toString(16)}\r\n`, 'latin1');
    this.#duplex.write(data);
    const goesOn = this.#duplex.write('\r\n', 'latin1');
    this.#duplex.uncork();
    return goesOn;
  }

  /** The request's body is complete. */
  endBody(): void {
    if (!this.#isSending) return;
    this.#isSending = false;
    this.#hasMoved = true;
    if (this.#question?.body === 'chunked') this.#duplex.write('0\r\n\r\n', 'latin1');
  }

  /** The client does not keep up. */
  pause(): void {
    this.#duplex.pause();
  }

  resume(): void {
    this.#hasMoved = true;
    this.#duplex.resume();
  }

  /** Why the stream has ended. */
  get error(): PosternError {
    const cause = this.#duplex.errored;
    if (cause instanceof PosternError) return cause;
    return new PosternError('tunnel_closed', 'The stream has ended.', { cause });
  }

  /** Ends it when the target, or the next request, has been waited for too long. */
  sweep(nowMs: number): void {
    if (this.#hasMoved || this.#asker?.clientIsDue) this.#since = nowMs;
    this.#hasMoved = false;
    if (this.#isClosed || nowMs - this.#since < this.#limitMs) return;
    this.fail(new PosternError('timeout', 'The target did not answer in time.'));
  }

  /** Ends it, and with it what was asked. */
  fail(error: Error): void {
    const asker = this.#asker;
    this.#forget();
    this.close();
    asker?.failed(error);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isAtRest) endInOrder(this.#duplex);
    else this.#duplex.destroy();
    this.#onClosed();
  }

  readonly #onData = (bytes: Buffer): void => {
    const reader = this.#reader;
    // Nobody asked: whatever it is, it would be taken for the next answer.
    if (reader === undefined) return this.close();
    this.#answered = true;
    try {
      const state = reader.read(bytes);
      // A part that was told may have ended it all.
      if (this.#reader !== reader) return;
      if (state === 'ended') this.#end(reader);
      else if (state === 'switched') this.#switch(reader);
      else {
        this.#hasMoved = true;
        if (state === 'body' && this.#question !== undefined) this.#limitMs = this.#question.idleMs;
        this.#asker?.caughtUp();
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error('An answer could not be passed on.'));
    }
  };

  #end(reader: AnswerReader): void {
    const asker = this.#asker;
    const idleMs = Math.min(STREAM_IDLE_MS, (reader.keepAliveMs ?? Number.POSITIVE_INFINITY) - KEEP_ALIVE_MARGIN_MS);
    const reusable = reader.persists && !this.#isSending && this.#question?.upgrade === false && idleMs > 0;
    this.#forget();
    this.#isAtRest = reusable;
    if (reusable) {
      this.#since = performance.now();
      this.#limitMs = idleMs;
      this.#hasMoved = false;
      if (this.#duplex.isPaused()) this.#duplex.resume();
    } else this.close();
    asker?.ended(reader.trailers, reusable);
  }

  #switch({ rest }: AnswerReader): void {
    const asker = this.#asker;
    this.#forget();
    this.#isClosed = true;
    this.#duplex.off('data', this.#onData);
    this.#duplex.off('drain', this.#onDrain);
    this.#duplex.off('end', this.#onEnd);
    this.#duplex.off('close', this.#onClose);
    asker?.switched(this.#duplex, rest);
  }

  readonly #onDrain = (): void => {
    this.#asker?.drained();
  };

  readonly #onEnd = (): void => {
    const reader = this.#reader;
    if (reader === undefined) return this.close();
    try {
      reader.readEnd();
      this.#end(reader);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error('An answer could not be passed on.'));
    }
  };

  readonly #onClose = (): void => {
    if (this.#isClosed) return;
    const { errored } = this.#duplex;
    this.fail(errored ?? new Error('The stream was closed.'));
  };

  #forget(): void {
    this.#asker = undefined;
    this.#reader = undefined;
    this.#question = undefined;
    this.#isSending = false;
  }
}

/** Where nothing is under way a reset would only alarm the target. */
function endInOrder(duplex: Duplex): void {
  duplex.end();
  const limit = setTimeout(() => duplex.destroy(), FAREWELL_MS);
  limit.unref();
  duplex.once('close', () => clearTimeout(limit));
}
