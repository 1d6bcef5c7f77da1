import { dropOldest } from '../../lib/drop-oldest.ts';
import { pause } from '../../lib/wait.ts';
import { receiveControl } from '../../tunnel/control-message.ts';
import { type Notice, parseNotice } from '../../tunnel/notice.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { receiveHeader } from '../../tunnel/stream-header.ts';
import { MAX_STREAMS } from '../../tunnel/tunnel.ts';

const HEADER_MS = 10_000;

/** What the relay says of connections that it cut, on the one stream of a tunnel that it may open. */
export class Notices {
  /** By stream; those that nobody asked about yet, the oldest dropped beyond as many as a tunnel has streams. */
  readonly #said = new Map<number, Notice>();
  /** By stream; of those who wait for one. */
  readonly #awaited = new Map<number, AbortController>();
  #isOpen = false;

  /** For the tunnel: false for a second stream, whatever became of the first. */
  accept(stream: TunnelStream): boolean {
    if (this.#isOpen) return false;
    this.#isOpen = true;
    this.#receive(stream).catch(() => stream.destroy());
    return true;
  }

  /** Undefined when nothing is said within the time, or before the signal aborts. */
  async of(stream: number, limitMs: number, signal: AbortSignal): Promise<Notice | undefined> {
    if (!this.#said.has(stream)) {
      const heard = new AbortController();
      this.#awaited.set(stream, heard);
      await pause(limitMs, AbortSignal.any([signal, heard.signal]));
      this.#awaited.delete(stream);
    }
    const notice = this.#said.get(stream);
    this.#said.delete(stream);
    return notice;
  }

  /** Whatever is no notice ends this stream, and nothing else. */
  async #receive(stream: TunnelStream): Promise<void> {
    const { kind } = await receiveHeader(stream, HEADER_MS);
    if (kind !== 'notice') return void stream.destroy();
    receiveControl(
      stream,
      parseNotice,
      (notice) => this.#take(notice),
      () => stream.destroy(),
    );
  }

  /** Its known parts, each of a bounded length. */
  #take({ stream, reason, message, reference }: Notice): void {
    this.#said.set(stream, { stream, reason, message, reference });
    dropOldest(this.#said, MAX_STREAMS);
    this.#awaited.get(stream)?.abort();
  }
}
