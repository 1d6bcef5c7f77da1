import type { TerminationReason } from '../../domain/change.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeAnswer, type StreamRefusal } from '../../tunnel/stream-header.ts';
import type { Refusal } from '../answer/refusal.ts';
import { terminationText } from '../answer/terminated.ts';
import type { Connection, ConnectionClient } from './connection.ts';
import type { Notices } from './notices.ts';

/** A stream of a client tunnel, its header read. */
export class TunnelConnection implements Connection {
  readonly client: ConnectionClient;
  readonly resource: string | undefined;
  readonly destination: string | undefined;
  readonly stream: TunnelStream;
  readonly #notices: Notices;

  constructor(client: ConnectionClient, asked: AskedFor, stream: TunnelStream, notices: Notices) {
    this.client = client;
    this.resource = asked.resource;
    this.destination = asked.destination;
    this.stream = stream;
    this.#notices = notices;
  }

  accept(): void {
    this.stream.write(encodeAnswer({ ok: true }));
  }

  reset(): void {
    this.stream.destroy();
  }

  cut(reason: TerminationReason, reference: string): void {
    if (this.stream.destroyed) return;
    this.reset();
    this.#notices.say({ stream: this.stream.streamId, reason, message: terminationText(reason), reference });
  }

  /** The stream ends once the answer is on its way; what the client wrote meanwhile is thrown away. */
  refuse(refusal: Refusal, reference?: string): void {
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    const { message, contact } = refusal;
    stream.resume();
    stream.end(
      encodeAnswer({
        ok: false,
        code: codeOf(refusal),
        message: contact === undefined ? message : `${message} Whom to ask: ${contact}.`,
        ...(reference === undefined ? {} : { reference }),
      }),
    );
  }
}

/** What a stream header says. */
export type AskedFor = Pick<Connection, 'resource' | 'destination'>;

function codeOf({ status, code }: Refusal): StreamRefusal {
  switch (status) {
    case 400:
      return 'not_allowed';
    case 401:
      return 'unauthenticated';
    case 403:
      return 'denied';
    case 404:
      return 'unknown_resource';
    case 429:
      return 'too_many';
    case 502:
      return 'dial_refused';
    case 504:
      return 'dial_timeout';
    default:
      return code === 'tunnel_closed' ? 'no_agent' : 'unavailable';
  }
}
