import type { IncomingMessage } from 'node:http';
import type { Secret } from '../../../lib/secret.ts';
import { connectionOptions, isHopByHop } from './hop-by-hop.ts';
import { localOrigin } from './local-request.ts';

interface AsPerson {
  /** Of the resource. */
  readonly origin: string;
  readonly token: Secret;
}

/** What the relay gets: the client's fields as they are, for the resource's own name, with the person's token. */
export function requestFields(req: IncomingMessage, { origin, token }: AsPerson): string[] {
  const listed = connectionOptions(req.headers.connection);
  const local = localOrigin(req);
  const fields = ['Host', new URL(origin).host, 'Postern-Token', token.reveal()];
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = req.rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (lower === 'host' || isTokenField(lower) || isHopByHop(lower)) continue;
    // Where a body ends is of every hop: without its length it would be read as the next request.
    if (listed.has(lower) && lower !== 'content-length') continue;
    if (lower === 'trailer' && !isChunked(req)) continue;
    if (lower === 'origin') fields.push(name, origin);
    else if (lower === 'referer') fields.push(name, underOrigin(value, local, origin));
    else fields.push(name, value);
  }
  return [...fields, ...framing(req), ...upgrade(req)];
}

/** Whether a field could be read as the token, by relays and by whatever stands before them. */
export function isTokenField(lower: string): boolean {
  return lower.replace(/[^a-z0-9]/g, '-') === 'postern-token';
}

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return isChunked({ headers }) || Number(headers['content-length'] ?? 0) > 0;
}

function isChunked({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** Content-Length passes as it is. */
function framing({ method, headers }: IncomingMessage): string[] {
  if (isChunked({ headers })) return ['Transfer-Encoding', 'chunked'];
  const expectsLength = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return expectsLength && headers['content-length'] === undefined ? ['Content-Length', '0'] : [];
}

function upgrade({ headers, upgrade: wanted }: IncomingMessage & { upgrade?: boolean }): string[] {
  return wanted && headers.upgrade !== undefined ? ['Connection', 'Upgrade', 'Upgrade', headers.upgrade] : [];
}

function underOrigin(url: string, from: string, to: string): string {
  return url.toLowerCase() === from || url.toLowerCase().startsWith(`${from}/`) ? to + url.slice(from.length) : url;
}
