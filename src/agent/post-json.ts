import { request as httpRequest } from 'node:http';
import type { AgentConfig } from '../config/agent-config.ts';
import { PosternError } from '../lib/errors.ts';
import { answeredInItsPlace } from '../tunnel/answered-in-its-place.ts';
import { connectToRelay } from '../tunnel/relay-connection.ts';

const TIMEOUT_MS = 10_000;
/** A longer answer is not ours; the request fails. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** "Network Authentication Required" (RFC 6585 §6): what an honest captive portal says. */
const CAPTIVE = 511;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body was not JSON, which a relay in trouble may send by way of its balancer. */
  readonly body: unknown;
  /** By its Date header; NaN without one. */
  readonly dateMs: number;
}

/** One POST to the relay. Rejects when no whole answer came in 10 s, or one that cannot be the relay's. */
export async function postJson(
  { relay, proxy }: Pick<AgentConfig, 'relay' | 'proxy'>,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const url = new URL(path, relay);
  const text = JSON.stringify(body);
  const connection = await connectToRelay({ url, proxy, signal });
  const answer = await new Promise<JsonAnswer & { mediaType: string }>((resolve, reject) => {
    const request = httpRequest({
      method: 'POST',
      path,
      // It leads to the relay, and TLS is done.
      createConnection: () => connection,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: {
        host: url.host,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        accept: 'application/json',
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) {
          request.destroy(new PosternError('limit_reached', 'The answer of the relay is too long.'));
        } else {
          chunks.push(chunk);
        }
      });
      response.on('error', reject);
      response.on('end', () => {
        const mediaType = response.headers['content-type'] ?? 'nothing';
        const received = parseOrUndefined(Buffer.concat(chunks).toString('utf8'));
        resolve({
          status: response.statusCode ?? 0,
          body: received,
          mediaType,
          dateMs: Date.parse(response.headers.date ?? ''),
        });
      });
    });
    request.end(text);
  }).finally(() => connection.destroy());
  if (answer.body === undefined && (answer.status < 500 || answer.status === CAPTIVE))
    throw answeredInItsPlace(relay, answer.status, answer.mediaType);
  return answer;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
