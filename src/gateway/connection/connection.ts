import type { TunnelStream } from '../../tunnel/stream.ts';
import { encodeAnswer, type StreamRefusal } from '../../tunnel/stream-header.ts';
import type { Credential } from '../access/3-identify.ts';
import type { Refusal } from '../answer/refusal.ts';

/** Who opened a client tunnel, and from where. */
export interface ConnectionClient {
  readonly credential: Credential;
  readonly address: string;
  readonly userAgent: string | undefined;
}

/** One stream of a client tunnel, its header read. */
export interface Connection {
  readonly client: ConnectionClient;
  /** Name of the resource that it asks for. */
  readonly resource: string;
  readonly stream: TunnelStream;
}

/** Answers, and ends the stream once the answer is on its way; what the client wrote meanwhile is thrown away. */
export function refuseConnection({ stream }: Pick<Connection, 'stream'>, refusal: Refusal, reference?: string): void {
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

function codeOf({ status, code }: Refusal): StreamRefusal {
  switch (status) {
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
