import type { Readable } from 'node:stream';
import type { MessageTransport, TransportReceiver } from '../../src/tunnel/transport.ts';
import { Tunnel, type TunnelOptions } from '../../src/tunnel/tunnel.ts';

/** One end of a pipe in memory. Messages arrive in a later turn of the event loop, cut as `recut` says. */
export class PipeEnd implements MessageTransport {
  receiver: TransportReceiver | undefined;
  other: PipeEnd | undefined;
  waitingBytes = 0;
  closedWith: { code: number; reason: string } | undefined;
  readonly sent: Buffer[] = [];
  /** Off where so much is sent that it must not be kept. */
  keepsSent = true;
  readonly #recut: (message: Buffer) => Buffer[];

  constructor(recut: (message: Buffer) => Buffer[] = (message) => [message]) {
    this.#recut = recut;
  }

  send(messages: readonly Buffer[], taken?: () => void): void {
    for (const message of messages) {
      if (this.keepsSent) this.sent.push(message);
      this.waitingBytes += message.length;
      setImmediate(() => {
        this.waitingBytes -= message.length;
        for (const piece of this.#recut(message)) this.other?.receiver?.message(piece);
        this.receiver?.drained();
      });
    }
    if (taken) setImmediate(taken);
  }

  close(code: number, reason: string): void {
    if (this.closedWith) return;
    this.closedWith = { code, reason };
    setImmediate(() => {
      this.other?.receiver?.closed(code, reason);
      this.receiver?.closed(code, reason);
    });
  }
}

export function pipe(recut?: (message: Buffer) => Buffer[]): [PipeEnd, PipeEnd] {
  const left = new PipeEnd(recut);
  const right = new PipeEnd(recut);
  left.other = right;
  right.other = left;
  return [left, right];
}

/** Two tunnels that talk to each other in memory; close `relay` at the end. */
export function tunnelPair(
  accept: TunnelOptions['accept'],
  recut?: (message: Buffer) => Buffer[],
): { relay: Tunnel; agent: Tunnel; relayEnd: PipeEnd; agentEnd: PipeEnd } {
  const [relayEnd, agentEnd] = pipe(recut);
  const relay = new Tunnel(relayEnd, { side: 'relay', heartbeatMs: 60_000 });
  const agent = new Tunnel(agentEnd, { side: 'dialler', heartbeatMs: 60_000, ...(accept ? { accept } : {}) });
  return { relay, agent, relayEnd, agentEnd };
}

/** All bytes until the end. Unlike node:stream/consumers it leaves the writable side alone. */
export function collect(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
  });
}

/** Resolves when the stream is closed, with the error it was destroyed with, if any. */
export function closing(stream: Readable): Promise<NodeJS.ErrnoException | null> {
  if (stream.closed) return Promise.resolve(stream.errored);
  return new Promise((resolve) => stream.on('close', () => resolve(stream.errored)));
}
