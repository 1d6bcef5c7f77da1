import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { PosternError } from '../lib/errors.ts';
import { HandshakeSocket } from './websocket-handshake.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** Of the body of a refused upgrade. */
const MAX_REFUSAL_CHARACTERS = 8192;
const REFUSAL_TIMEOUT_MS = 2000;

export interface DialOptions {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Leads to the relay, TLS done. */
  readonly connection: Socket;
}

/** Somebody refused the upgrade with an HTTP answer. */
export class UpgradeRefusedError extends PosternError {
  readonly status: number;
  /** Media type of the answer; the relay's own are `application/problem+json`. */
  readonly mediaType: string;
  /** The beginning of its body. */
  readonly body: string;
  constructor(status: number, mediaType: string, body: string) {
    super('credential_refused', `The relay answered ${status} instead of opening the tunnel.`);
    this.status = status;
    this.mediaType = mediaType;
    this.body = body;
  }
}

/** The dialling end's opening handshake. Rejects with UpgradeRefusedError, `timeout`, `aborted`, or what the network said. */
export function dialWebSocket({ connection, signal, ...options }: DialOptions): Promise<WebSocketTransport> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocketTransport>();
  const socket = new HandshakeSocket(options.url, options.protocol, {
    headers: { ...options.headers },
    perMessageDeflate: false,
    followRedirects: false,
    createConnection: () => connection,
  });
  const giveUp = (error: Error) => {
    reject(error);
    socket.terminate();
  };
  const stop = () => giveUp(new PosternError('aborted', 'Connecting was stopped.'));
  const timer = setTimeout(
    () => giveUp(new PosternError('timeout', 'The relay did not answer the request for a tunnel in time.')),
    options.timeoutMs,
  );
  const settle = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  };
  socket.onAgreed = (_connection, head) => {
    // From here on there is no handshake to give up.
    settle();
    // At once: the relay's first message may be in the same packet.
    resolve(new WebSocketTransport(connection, 'dialler', head));
  };
  socket.on('error', reject);
  socket.on('unexpected-response', (request, response) => {
    const mediaType = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
    readBeginning(response, (body) => {
      reject(new UpgradeRefusedError(response.statusCode ?? 0, mediaType.trim().toLowerCase(), body));
      request.destroy();
    });
  });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(settle);
}

/** Whatever came until the body ended, broke off, is long enough, or lets wait. */
function readBeginning(response: IncomingMessage, take: (text: string) => void): void {
  let body = '';
  const end = () => {
    clearTimeout(timer);
    response.removeAllListeners('data').off('close', end);
    take(body);
  };
  const timer = setTimeout(end, REFUSAL_TIMEOUT_MS);
  response.setEncoding('utf8').on('data', (text: string) => {
    body = (body + text).slice(0, MAX_REFUSAL_CHARACTERS);
    if (body.length === MAX_REFUSAL_CHARACTERS) end();
  });
  response.on('error', () => {}).on('close', end);
}
