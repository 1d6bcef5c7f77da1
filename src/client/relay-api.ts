import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { hostname } from 'node:os';
import { messageOf, PosternError } from '../lib/errors.ts';
import { lookupWithLocalhost } from '../lib/localhost.ts';
import type { Secret } from '../lib/secret.ts';
import { packageVersion } from '../lib/version.ts';
import { loginCommand } from './profiles.ts';

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

/**
 * One call of the relay's API: its JSON answer, or `relay_unreachable`, `unauthenticated` (401), `forbidden` (403),
 * `not_found` (404), `limit_reached` (429), `request_invalid` (other 4xx and whatever is not an answer of a relay).
 */
export async function callRelay(call: RelayCall): Promise<unknown> {
  const { status, body } = await exchange(call);
  const answer = parseJson(body);
  if (status >= 200 && status < 300) {
    if (answer === undefined && body.length > 0) throw notARelay(call.relay);
    return answer;
  }
  const detail = detailOf(answer);
  switch (status) {
    case 401:
      throw new PosternError(
        'unauthenticated',
        `${detail ?? 'You are not signed in.'} Run: ${loginCommand(call.relay, call.profile)}`,
      );
    case 403:
      throw new PosternError('forbidden', detail ?? 'The relay denies this to you.');
    case 404:
      throw new PosternError('not_found', detail ?? `${call.relay} has no ${call.path}.`);
    case 429:
      throw new PosternError('limit_reached', detail ?? 'Too many requests. Wait a minute.');
    default:
      if (detail === undefined && status < 500) throw notARelay(call.relay);
      throw new PosternError(
        status > 500 ? 'relay_unreachable' : 'request_invalid',
        detail ?? `${call.relay} answered ${status}; its own log says why.`,
      );
  }
}

/** How this machine is called towards the relay, for the person who looks at their tokens. */
export function machineName(): string {
  return hostname().slice(0, 64);
}

function exchange(call: RelayCall): Promise<{ status: number; body: string }> {
  const url = new URL(call.path, call.relay);
  const payload = call.json === undefined ? undefined : JSON.stringify(call.json);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const limit = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        call.signal?.aborted
          ? new PosternError('aborted', 'Stopped.')
          : new PosternError(
              'relay_unreachable',
              `The relay at ${call.relay} cannot be reached: ${messageOf(cause)}. Is the address right, and is it running?`,
              { cause },
            ),
      );
    const request = send(
      url,
      {
        method: call.method ?? 'GET',
        lookup: lookupWithLocalhost,
        signal: call.signal ? AbortSignal.any([call.signal, limit]) : limit,
        headers: {
          accept: 'application/json',
          'user-agent': `postern/${packageVersion()}`,
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...(call.token ? { 'postern-token': call.token.reveal() } : {}),
        },
      },
      (response) => {
        readBody(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail);
      },
    );
    request.on('error', fail);
    request.end(payload);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new PosternError('limit_reached', 'its answer is too large; ask for less');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The sentence for people in an RFC 9457 problem. */
function detailOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { detail, reference } = answer as { detail?: unknown; reference?: unknown };
  if (typeof detail !== 'string') return undefined;
  return typeof reference === 'string' ? `${detail} (reference ${reference})` : detail;
}

function notARelay(relay: string): PosternError {
  return new PosternError('request_invalid', `${relay} does not answer like a Postern relay. Is the address right?`);
}
