import type { IncomingMessage } from 'node:http';
import { parseRequestTarget, type RequestPath } from '../../domain/request-path.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { HOST_FIELD } from '../../lib/host-field.ts';
import { badRequest, type Refusal } from '../answer/refusal.ts';
import { MAX_HEADER_COUNT } from '../limits.ts';
import { overridesMethod } from './method-override.ts';

/** The one reading of a request's head; nothing after this looks at the request line or these fields again. */
export interface RequestHead {
  readonly kind: 'http' | 'websocket';
  readonly method: string;
  /** Host as received: what the target gets and the record says. */
  readonly host: string;
  /** `host` in lower case, without port. */
  readonly hostname: string;
  readonly path: RequestPath;
  /** The request target as received. */
  readonly target: string;
  readonly address: string;
  /** All Cookie fields, joined as RFC 9113 §8.2.3 does. */
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  readonly posternToken: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchDest: string | undefined;
  /** What a CORS preflight asks for. */
  readonly preflight: { readonly method: string; readonly headers: string | undefined } | undefined;
  readonly accept: string | undefined;
  readonly userAgent: string | undefined;
  /** Value of the Upgrade field on an upgrade to WebSocket. */
  readonly websocket: string | undefined;
  readonly hasBody: boolean;
  /** Undefined when the body is chunked or absent. */
  readonly contentLength: string | undefined;
  readonly expectsContinue: boolean;
  /** RFC 9110 §10.1.4. */
  readonly takesTrailers: boolean;
}

const SINGLE: ReadonlyMap<string, keyof Fields> = new Map<string, keyof Fields>([
  ['host', 'host'],
  ['authorization', 'authorization'],
  ['postern-token', 'posternToken'],
  ['origin', 'origin'],
  ['sec-fetch-site', 'fetchSite'],
  ['sec-fetch-mode', 'fetchMode'],
  ['sec-fetch-dest', 'fetchDest'],
  ['access-control-request-method', 'preflightMethod'],
  ['access-control-request-headers', 'preflightHeaders'],
  ['user-agent', 'userAgent'],
  ['transfer-encoding', 'transferEncoding'],
  ['content-length', 'contentLength'],
  ['upgrade', 'upgrade'],
  ['expect', 'expect'],
]);

interface Fields {
  host: string | undefined;
  authorization: string | undefined;
  posternToken: string | undefined;
  origin: string | undefined;
  fetchSite: string | undefined;
  fetchMode: string | undefined;
  fetchDest: string | undefined;
  preflightMethod: string | undefined;
  preflightHeaders: string | undefined;
  userAgent: string | undefined;
  transferEncoding: string | undefined;
  contentLength: string | undefined;
  upgrade: string | undefined;
  expect: string | undefined;
}

/**
 * Step 1. Refuses what two readers could read in two ways: a second Host (or any other field that decides), userinfo
 * in Host, absolute and asterisk form, codings other than chunked, a second method. Node's parser has already refused obs-fold, spaces
 * before colons, bare LF, and Transfer-Encoding with Content-Length.
 */
export function readRequest(req: IncomingMessage, isUpgrade: boolean): RequestHead | Refusal {
  const raw = req.rawHeaders;
  if (raw.length > MAX_HEADER_COUNT * 2) {
    return badRequest(431, `The request has more than ${MAX_HEADER_COUNT} header fields.`);
  }
  const fields: Partial<Fields> = {};
  let cookie: string | undefined;
  let accept: string | undefined;
  let takesTrailers = false;
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const value = raw[at + 1] ?? '';
    if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else if (name === 'accept') accept = accept === undefined ? value : `${accept}, ${value}`;
    else if (name === 'te') takesTrailers ||= /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value);
    else {
      const field = SINGLE.get(name);
      if (field === undefined) {
        if (overridesMethod(name, value, req.method)) {
          return badRequest(400, `The header field ${name} names another method than the request line.`);
        }
        continue;
      }
      if (fields[field] !== undefined) return badRequest(400, `The request has the header field ${name} twice.`);
      fields[field] = value;
    }
  }

  const method = req.method ?? '';
  if (method === 'TRACE' || method === 'CONNECT') return badRequest(501, `The method ${method} is not forwarded.`);
  const { host, transferEncoding, contentLength, expect } = fields;
  if (host === undefined || !HOST_FIELD.test(host)) return badRequest(400, 'The request needs exactly one valid Host.');
  if (transferEncoding !== undefined) {
    if (transferEncoding.toLowerCase() !== 'chunked') {
      return badRequest(501, 'No transfer coding other than chunked is accepted.');
    }
    if (contentLength !== undefined || req.httpVersion !== '1.1') {
      return badRequest(400, 'The request states the length of its body in two ways.');
    }
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return badRequest(417, 'No expectation other than 100-continue is met.');
  }
  const target = req.url ?? '';
  const path = parseRequestTarget(target);
  if (typeof path === 'string') {
    return badRequest(400, `The request's path is refused (${path}): it could be read in more than one way.`);
  }
  const hasBody = transferEncoding !== undefined || (contentLength !== undefined && /[1-9]/.test(contentLength));
  const websocket = isUpgrade ? fields.upgrade : undefined;
  if (isUpgrade && websocket?.toLowerCase() !== 'websocket') {
    return badRequest(501, 'No protocol other than WebSocket can be upgraded to.');
  }
  if (isUpgrade && (hasBody || method !== 'GET' || req.httpVersion !== '1.1')) {
    return badRequest(400, 'An upgrade is a GET of HTTP/1.1 without a body.');
  }
  return {
    kind: websocket === undefined ? 'http' : 'websocket',
    method,
    host,
    hostname: hostnameOf(host),
    path,
    target,
    address: clientAddress(req),
    cookie,
    authorization: fields.authorization,
    posternToken: fields.posternToken,
    origin: fields.origin,
    fetchSite: fields.fetchSite,
    fetchMode: fields.fetchMode,
    fetchDest: fields.fetchDest,
    preflight: preflightOf(fields),
    accept,
    userAgent: fields.userAgent,
    websocket,
    hasBody,
    contentLength: transferEncoding === undefined ? contentLength : undefined,
    expectsContinue: expect !== undefined,
    takesTrailers,
  };
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const TOKENS = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

function preflightOf({
  preflightMethod: method,
  preflightHeaders: headers,
}: Partial<Fields>): RequestHead['preflight'] {
  if (method === undefined || !TOKEN.test(method)) return undefined;
  return { method, headers: headers !== undefined && TOKENS.test(headers) ? headers : undefined };
}

function hostnameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return (colon > host.lastIndexOf(']') ? host.slice(0, colon) : host).toLowerCase();
}
