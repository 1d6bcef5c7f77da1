import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { PosternError } from '../lib/errors.ts';
import { WebSocketTransport } from './websocket-transport.ts';
import { acceptOf, WEBSOCKET_VERSION } from './websocket-upgrade.ts';

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
export function dialWebSocket(options: DialOptions): Promise<WebSocketTransport> {
  const { connection, signal, url } = options;
  const key = randomBytes(16).toString('base64');
  const { promise, resolve, reject } = Promise.withResolvers<WebSocketTransport>();
  const request = httpRequest({
    path: `${url.pathname}${url.search}`,
    headers: {
      ...options.headers,
      host: url.host,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': WEBSOCKET_VERSION,
      'sec-websocket-key': key,
      'sec-websocket-protocol': options.protocol,
    },
    createConnection: () => connection,
  });
  const stop = () => request.destroy(new PosternError('aborted', 'Connecting was stopped.'));
  const timer = setTimeout(
    () => request.destroy(new PosternError('timeout', 'The relay did not answer the request for a tunnel in time.')),
    options.timeoutMs,
  );
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  request.on('error', reject);
  request.on('upgrade', (response, socket, head) => {
    const fault = faultOf(response, key, options.protocol);
    if (fault) {
      reject(new PosternError('protocol_violation', fault));
      socket.destroy();
    } else resolve(new WebSocketTransport(socket, 'dialler', head));
  });
  request.on('response', (response) => {
    const mediaType = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
    readBeginning(response, (body) => {
      reject(new UpgradeRefusedError(response.statusCode ?? 0, mediaType.trim().toLowerCase(), body));
      request.destroy();
    });
  });
  request.end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  });
}

/** RFC 6455 §4.1: what the answer must say. */
function faultOf({ headers }: IncomingMessage, key: string, protocol: string): string | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'What answered 101 speaks no WebSocket.';
  if (headers['sec-websocket-accept'] !== acceptOf(key)) return 'What answered 101 did not read the request.';
  if (headers['sec-websocket-protocol'] !== protocol) return `What answered 101 does not speak ${protocol}.`;
  if (headers['sec-websocket-extensions'] !== undefined) return 'What answered 101 uses an extension nobody asked for.';
  return undefined;
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
