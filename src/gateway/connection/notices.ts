import { encodeJson } from '../../tunnel/length-prefixed-json.ts';
import type { Notice } from '../../tunnel/notice.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeHeader } from '../../tunnel/stream-header.ts';

/** What may wait for a command line that does not read, beyond the window of its stream; further notices are dropped. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** Tells a command line why its connections were cut, on one stream that is opened when there is first something to say. */
export class Notices {
  readonly #open: () => TunnelStream;
  /** Stays when it has ended: an older command line resets it, and is not asked again. */
  #stream: TunnelStream | undefined;

  /** `open` throws when the tunnel takes no stream. */
  constructor(open: () => TunnelStream) {
    this.#open = open;
  }

  say(notice: Notice): void {
    try {
      this.#stream ??= this.#begin();
    } catch {
      // Full, or over: then the end of the tunnel says why.
      return;
    }
    if (this.#stream.destroyed || this.#stream.writableLength > MAX_UNREAD_BYTES) return;
    this.#stream.write(encodeJson(notice));
  }

  #begin(): TunnelStream {
    const stream = this.#open();
    stream.write(encodeHeader({ version: 1, kind: 'notice' }));
    // Nothing is to come.
    return stream.on('data', () => stream.destroy());
  }
}
