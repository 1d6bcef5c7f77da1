import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { proxyFromEnvironment } from '../config/http-proxy.ts';
import { hasCode, messageOf, PosternError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { packageVersion } from '../lib/version.ts';
import { connectToRelay } from '../tunnel/relay-connection.ts';

export interface RelayCall {
  /** Origin of the relay. */
  readonly relay: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Path and query, starting with '/'. */
  readonly path: string;
  readonly token?: Secret;
  /** Name of the profile whose token it is. */
  readonly profile?: string;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
  /** Default: `TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

/** An answer larger than this is not one of the relay's API. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const LATE = 'It did not answer in time. Is the address right, and does the relay run?';

/** One request and its whole answer, by way of HTTPS_PROXY where that is set. Rejects with `relay_unreachable`, `aborted`, `limit_reached` for an answer too large, or `request_invalid` where no HTTP is spoken. */
export async function askRelay(call: RelayCall): Promise<{ status: number; body: string }> {
  const url = new URL(call.path, call.relay);
  const limit = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS);
  const signal = call.signal ? AbortSignal.any([call.signal, limit]) : limit;
  const proxy = proxyFromEnvironment(call.relay, process.env);
  if (typeof proxy === 'string') throw new PosternError('config_invalid', proxy);
  let connection: Socket | undefined;
  try {
    connection = await connectToRelay({ url, proxy, signal });
    return await exchange(connection, url, call, signal);
  } catch (cause) {
    if (call.signal?.aborted) throw new PosternError('aborted', 'Stopped.');
    if (hasCode(cause, 'limit_reached')) throw cause;
    if (!limit.aborted && isNotHttp(cause)) throw notARelay(call.relay, { cause });
    const why = limit.aborted ? LATE : sentence(messageOf(cause));
    throw new PosternError('relay_unreachable', `The relay at ${call.relay} cannot be reached. ${why}`, { cause });
  } finally {
    connection?.destroy();
  }
}

function exchange(
  connection: Socket,
  url: URL,
  { method = 'GET', json, token }: RelayCall,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const payload = json === undefined ? undefined : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      method,
      path: url.pathname + url.search,
      // It leads to the relay, and TLS is done.
      createConnection: () => connection,
      signal,
      headers: {
        host: url.host,
        accept: 'application/json',
        'user-agent': `postern/${packageVersion()}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...(token ? { 'postern-token': token.reveal() } : {}),
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response, url.origin).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.end(payload);
  });
}

async function readBody(response: IncomingMessage, relay: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES)
      throw new PosternError('limit_reached', `${relay} answers with more than a command line takes. Ask for less.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What answers speaks another protocol. */
function isNotHttp(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('HPE_');
}

export function notARelay(relay: string, options?: { cause: unknown }): PosternError {
  const advice = 'Is the address right? It is that of the relay, where you sign in, not that of an app.';
  return new PosternError('request_invalid', `${relay} does not answer like a Postern relay. ${advice}`, options);
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
