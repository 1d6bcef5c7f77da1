import type { Duplex } from 'node:stream';
import { hasCode, PosternError } from '../../lib/errors.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeHeader, receiveAnswer, type StreamHeader } from '../../tunnel/stream-header.ts';
import { opened } from './broken.ts';
import { type Destination, destinationText } from './destination.ts';
import type { DialledTunnel } from './dialled-tunnel.ts';
import { refusedError } from './refusal.ts';

/** What opens streams; each one is decided and recorded by the relay. */
export interface StreamOpener {
  /**
   * Rejects with `unauthenticated`, `forbidden` (denied, with the rule's sentence), `target_unreachable`,
   * `relay_unreachable`, `limit_reached`, `timeout` or `aborted`. What the relay said is a StreamRefusedError.
   */
  open(to: Destination, signal: AbortSignal): Promise<Duplex>;
}

/** The relay waits for a commit and for the agent, and the agent for the target. */
const ANSWER_TIMEOUT_MS = 30_000;

/** As StreamOpener, and `tunnel_closed` when the tunnel broke first. */
export async function openStream(tunnel: DialledTunnel, to: Destination, signal: AbortSignal): Promise<Duplex> {
  const stream = tunnel.open();
  const stop = () => stream.destroy(new PosternError('aborted', 'Opening the connection was stopped.'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    stream.write(encodeHeader(headerFor(to)));
    await receiveAnswer(stream, ANSWER_TIMEOUT_MS, (answer) => {
      if (!answer.ok) stream.destroy(refusedError(answer, to));
    });
    if (stream.errored) throw stream.errored;
    opened(stream, tunnel);
    return stream;
  } catch (error) {
    stream.destroy();
    throw readable(error, stream, to);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function headerFor(to: Destination): StreamHeader {
  return 'resource' in to
    ? { version: 1, kind: 'resource', resource: to.resource }
    : { version: 1, kind: 'destination', destination: to.destination };
}

function readable(error: unknown, stream: TunnelStream, to: Destination): unknown {
  const cause = stream.errored ?? error;
  if (hasCode(cause, 'timeout'))
    return new PosternError('timeout', `The relay did not say in time whether ${destinationText(to)} opens.`);
  if (cause instanceof PosternError) return cause;
  return new PosternError('relay_unreachable', `The relay broke off opening ${destinationText(to)}. Try again.`, {
    cause,
  });
}
