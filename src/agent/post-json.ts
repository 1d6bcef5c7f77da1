import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PosternError } from '../lib/errors.ts';
import { lookupWithLocalhost } from '../lib/localhost.ts';

const TIMEOUT_MS = 10_000;
/** A longer answer is not ours; the request fails. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body was not JSON. */
  readonly body: unknown;
}

/** One POST to the relay. Rejects when no whole answer came in 10 s. */
export function postJson(url: URL, body: unknown, signal: AbortSignal): Promise<JsonAnswer> {
  const text = JSON.stringify(body);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      agent: false,
      lookup: lookupWithLocalhost,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: {
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
        resolve({ status: response.statusCode ?? 0, body: parseOrUndefined(Buffer.concat(chunks).toString('utf8')) });
      });
    });
    request.end(text);
  });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
