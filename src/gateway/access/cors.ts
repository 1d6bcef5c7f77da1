import type { Resource } from '../../domain/resource.ts';
import type { RequestHead } from './1-read.ts';

/** Browsers ask again after this. */
const MAX_AGE_SECONDS = 600;

/**
 * The answer to a preflight of a listed origin (Fetch, "CORS-preflight fetch"): whatever it asks for, since the request
 * itself is decided on its own. Undefined for everything else. Preflights carry no cookie, so they cannot be identified.
 */
export function preflightHeaders(head: RequestHead, resource: Resource | undefined): string[] | undefined {
  const { origin, preflight } = head;
  if (head.method !== 'OPTIONS' || preflight === undefined || !isListed(origin, resource)) return undefined;
  const headers = [
    ...corsHeaders(head, resource),
    'Access-Control-Allow-Methods',
    preflight.method,
    'Access-Control-Max-Age',
    String(MAX_AGE_SECONDS),
  ];
  if (preflight.headers !== undefined) headers.push('Access-Control-Allow-Headers', preflight.headers);
  return headers;
}

/** On what we answer ourselves, so that a page of a listed origin can read why. Targets say their own. */
export function corsHeaders(head: RequestHead | undefined, resource: Resource | undefined): string[] {
  const origin = head?.origin;
  if (origin === undefined || !isListed(origin, resource)) return [];
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Allow-Credentials',
    'true',
    'Access-Control-Expose-Headers',
    'X-Request-Id, Retry-After',
    'Vary',
    'Origin',
  ];
}

function isListed(origin: string | undefined, resource: Resource | undefined): boolean {
  return origin !== undefined && resource !== undefined && resource.corsOrigins.includes(origin);
}
