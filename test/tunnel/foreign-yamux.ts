import { yamux } from '@chainsafe/libp2p-yamux';
import type { MessageTransport, TransportReceiver } from '../../src/tunnel/transport.ts';

/** What we use of a stream of the other implementation. */
export interface ForeignStream {
  readonly status: string;
  readonly source: AsyncIterable<{ subarray(): Uint8Array }>;
  /** Sends all of it, then closes this direction. */
  sink(source: AsyncIterable<Uint8Array>): Promise<void>;
  closeWrite(): Promise<void>;
  abort(error: Error): void;
}

const noLog = { forComponent: () => Object.assign(() => {}, { error() {}, trace() {}, enabled: false }) };

/** A peer that speaks yamux by an implementation that is not ours; `transport` is our end of the pair. */
export class ForeignPeer {
  readonly transport: MessageTransport;
  readonly incoming: ForeignStream[] = [];
  readonly #muxer;
  #waiting: ((stream: ForeignStream) => void) | undefined;

  /** `cut`: most bytes that reach either side at once. */
  constructor(dials: boolean, cut: number) {
    this.#muxer = yamux({ enableKeepAlive: false })({ logger: noLog as never }).createStreamMuxer({
      direction: dials ? 'outbound' : 'inbound',
      onIncomingStream: (stream) => {
        const found = stream as unknown as ForeignStream;
        if (this.#waiting) this.#waiting(found);
        else this.incoming.push(found);
      },
    });
    const towards: Buffer[] = [];
    let wake: (() => void) | undefined;
    let over = false;
    const transport: MessageTransport = {
      receiver: undefined,
      waitingBytes: 0,
      send(messages, taken) {
        for (const message of messages)
          for (let at = 0; at < message.length; at += cut) towards.push(Buffer.from(message.subarray(at, at + cut)));
        wake?.();
        if (taken) setImmediate(taken);
      },
      close() {
        over = true;
        wake?.();
      },
    };
    this.transport = transport;
    void this.#muxer.sink(
      (async function* () {
        for (;;) {
          const next = towards.shift();
          if (next) yield next;
          else if (over) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      })(),
    );
    void this.#deliver(cut);
  }

  open(): ForeignStream {
    return this.#muxer.newStream() as unknown as ForeignStream;
  }

  accepted(): Promise<ForeignStream> {
    const first = this.incoming.shift();
    if (first) return Promise.resolve(first);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  ping(): Promise<number> {
    return Promise.resolve((this.#muxer as unknown as { ping(): Promise<number> }).ping());
  }

  async #deliver(cut: number): Promise<void> {
    for await (const piece of this.#muxer.source) {
      const bytes = Buffer.from(piece.subarray());
      const receiver: TransportReceiver | undefined = this.transport.receiver;
      for (let at = 0; at < bytes.length; at += cut) receiver?.message(bytes.subarray(at, at + cut));
    }
    this.transport.receiver?.closed(1000, 'The other implementation closed.');
  }
}

/** All bytes until the end. */
export async function collectForeign(stream: ForeignStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.source) chunks.push(Buffer.from(chunk.subarray()));
  return Buffer.concat(chunks);
}

export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
