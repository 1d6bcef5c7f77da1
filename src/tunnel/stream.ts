import { Duplex } from 'node:stream';
import { ChunkQueue } from './chunk-queue.ts';
import { Flag, FrameType } from './frame.ts';
import { release } from './read-memory.ts';
import { INITIAL_WINDOW_BYTES, ReceiveWindow, type WindowBudget } from './window.ts';

/** Bytes a writer may put ahead of the network before `write` says false. */
const WRITE_AHEAD_BYTES = 512 * 1024;
/** Bytes node:stream holds ahead of the reader, beyond the window. */
const READ_AHEAD_BYTES = 64 * 1024;
const SMALL_BYTES = 1024;
const MAX_CREDIT = 0xffff_ffff;

/** What a stream asks of its tunnel. */
export interface StreamPort {
  readonly roundTripMs: number;
  /** The stream has something to send: call `takeTurn` when its turn comes. */
  ready(stream: TunnelStream): void;
  control(type: number, flags: number, streamId: number, length: number): void;
  closed(stream: TunnelStream): void;
}

/** Where `takeTurn` puts a frame. */
export interface FrameWriter {
  write(type: number, flags: number, streamId: number, length: number, payload: readonly Buffer[]): void;
  /** Calls `taken` when the network has taken all that was written so far, or, with an error, will not take it. */
  whenTaken(taken: (error?: Error | null) => void): void;
}

/** The peer hard-closed the stream (RST). Coded like a socket's, so HTTP clients treat it alike. */
export class StreamResetError extends Error {
  readonly code = 'ECONNRESET';
  constructor() {
    super('The other end of the tunnel reset the stream.');
    this.name = 'StreamResetError';
  }
}

/**
 * One flow-controlled byte stream. A node:stream Duplex with half-close; destroying it before both directions
 * have ended resets it at the peer and discards what waits. Made by Tunnel only.
 */
export class TunnelStream extends Duplex {
  readonly streamId: number;
  readonly #port: StreamPort;
  readonly #budget: WindowBudget;
  readonly #window: ReceiveWindow;
  readonly #inbox = new ChunkQueue();
  #wanted = false;
  #remoteEnded = false;
  #intercept: ((chunk: Buffer) => Buffer | undefined) | undefined;

  #outbox: Buffer[] = [];
  #outboxBytes = 0;
  #written: ((error?: Error | null) => void) | undefined;
  #finished: ((error?: Error | null) => void) | undefined;
  #sendCredit = INITIAL_WINDOW_BYTES;
  #synDue: boolean;
  #finSent = false;
  #resetByPeer = false;
  #queued = false;

  constructor(streamId: number, port: StreamPort, budget: WindowBudget, opens: boolean) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: READ_AHEAD_BYTES,
      writableHighWaterMark: WRITE_AHEAD_BYTES,
    });
    this.streamId = streamId;
    this.#port = port;
    this.#budget = budget;
    this.#window = new ReceiveWindow(budget);
    this.#synDue = opens;
    // A reset may come while nobody looks; that must not end the process.
    this.on('error', () => {});
    if (opens) this.#wantTurn();
  }

  /**
   * Gives what arrives to `take` instead of the reader, until it returns the bytes that it did not need.
   * For the header at the start of a stream; call it before anything was read.
   */
  intercept(take: (chunk: Buffer) => Buffer | undefined): void {
    this.#intercept = take;
    for (;;) {
      const chunk = this.#inbox.shift();
      if (!chunk) return;
      this.#budget.wait(-chunk.length);
      this.#arrived(chunk);
      if (!this.#intercept) return;
    }
  }

  /** Both ends have come and gone: only the reader may still have to read. The tunnel is not needed any more. */
  get complete(): boolean {
    return this.#finSent && this.#remoteEnded;
  }

  // ——— from the tunnel ———

  /** A Data header came. False: more than the window, or after its FIN. */
  admit(bytes: number): boolean {
    return bytes === 0 || (!this.#remoteEnded && this.#window.receive(bytes));
  }

  receive(chunk: Buffer): void {
    if (this.destroyed) release(chunk);
    else this.#arrived(chunk);
  }

  receiveFin(): void {
    this.#remoteEnded = true;
    if (this.#intercept) this.destroy(new StreamResetError());
    else if (this.#inbox.bytes === 0) this.push(null);
  }

  receiveReset(): void {
    this.#resetByPeer = true;
    this.destroy(new StreamResetError());
  }

  /** False when the window would overflow its 32 bits. */
  receiveCredit(bytes: number): boolean {
    if (this.#sendCredit + bytes > MAX_CREDIT) return false;
    this.#sendCredit += bytes;
    if (this.#outboxBytes > 0) this.#wantTurn();
    return true;
  }

  /** The stream's turn: writes at most one frame of at most `limit` payload bytes. True when it has more to send now. */
  takeTurn(writer: FrameWriter, limit: number): boolean {
    this.#queued = false;
    if (this.destroyed) return false;
    const bytes = Math.min(this.#outboxBytes, this.#sendCredit, limit);
    const last = bytes === this.#outboxBytes;
    const fin = last && this.#finished !== undefined && !this.#finSent;
    const flags = (this.#synDue ? Flag.syn : 0) | (fin ? Flag.fin : 0);
    if (bytes === 0 && flags === 0) return false;
    this.#synDue = false;
    if (bytes === 0) writer.write(FrameType.windowUpdate, flags, this.streamId, 0, []);
    else writer.write(FrameType.data, flags, this.streamId, bytes, this.#cut(bytes));
    if (last && this.#written) {
      const written = this.#written;
      this.#written = undefined;
      writer.whenTaken(written);
    }
    if (fin) {
      this.#finSent = true;
      this.#finished?.();
    }
    if (this.#queued || this.#outboxBytes === 0 || this.#sendCredit === 0) return false;
    this.#queued = true;
    return true;
  }

  // ——— node:stream ———

  override _read(): void {
    this.#wanted = true;
    for (;;) {
      const chunk = this.#inbox.shift();
      if (!chunk) break;
      this.#budget.wait(-chunk.length);
      if (!this.#deliver(chunk)) break;
    }
    if (this.#remoteEnded && this.#inbox.bytes === 0) this.push(null);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#outbox.push(chunk);
    this.#outboxBytes += chunk.length;
    this.#written = callback;
    this.#wantTurn();
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    for (const { chunk } of chunks) {
      this.#outbox.push(chunk);
      this.#outboxBytes += chunk.length;
    }
    this.#written = callback;
    this.#wantTurn();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finished = callback;
    this.#wantTurn();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.complete && !this.#synDue && !this.#resetByPeer) {
      this.#port.control(FrameType.windowUpdate, Flag.rst, this.streamId, 0);
    }
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#budget.wait(-this.#inbox.bytes);
    this.#inbox.clear();
    this.#window.release();
    this.#port.closed(this);
    const written = this.#written;
    this.#written = undefined;
    written?.(error);
    callback(error);
  }

  // What HTTP clients call on a socket and what means nothing here; timeouts are the caller's.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  // ——— inside ———

  #wantTurn(): void {
    if (this.#queued || this.destroyed) return;
    this.#queued = true;
    this.#port.ready(this);
  }

  #arrived(chunk: Buffer): void {
    let rest: Buffer | undefined = chunk;
    if (this.#intercept) {
      rest = this.#intercept(chunk);
      this.#consumed(chunk.length - (rest?.length ?? 0));
      if (!rest || this.destroyed) return;
      this.#intercept = undefined;
      if (rest.length === 0) return;
    }
    if (this.#wanted && this.#inbox.bytes === 0) {
      // Something small that has to wait must not keep its whole message alive.
      this.#deliver(rest.length < SMALL_BYTES && this.readableLength > 0 ? copied(rest) : rest);
    } else {
      this.#inbox.push(rest);
      this.#budget.wait(rest.length);
    }
  }

  /** node:stream calls `_read` again after each push, as soon as there is room. */
  #deliver(chunk: Buffer): boolean {
    this.#wanted = false;
    this.#consumed(chunk.length);
    return this.push(chunk);
  }

  #consumed(bytes: number): void {
    if (bytes === 0) return;
    const credit = this.#window.consume(bytes, this.#port.roundTripMs);
    if (credit > 0 && !this.#remoteEnded) this.#port.control(FrameType.windowUpdate, 0, this.streamId, credit);
  }

  #cut(bytes: number): Buffer[] {
    this.#sendCredit -= bytes;
    this.#outboxBytes -= bytes;
    if (this.#outboxBytes === 0) {
      const all = this.#outbox;
      this.#outbox = [];
      return all;
    }
    const cut: Buffer[] = [];
    let left = bytes;
    while (left > 0) {
      const first = this.#outbox[0];
      if (!first) break;
      if (first.length <= left) {
        cut.push(first);
        this.#outbox.shift();
        left -= first.length;
      } else {
        cut.push(first.subarray(0, left));
        this.#outbox[0] = first.subarray(left);
        left = 0;
      }
    }
    return cut;
  }
}

function copied(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk);
  release(chunk);
  return copy;
}
