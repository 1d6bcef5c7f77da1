import type { Resource } from '../../domain/resource.ts';
import type { RequestHead } from './1-read.ts';

/**
 * May a request that a cookie authenticates have been sent by the page it claims? Hosts of resources are hostile and
 * same-site with each other, so SameSite cookies are no defence. Safe methods pass; unsafe methods and upgrades need:
 *
 * - `Origin` of the resource itself or one it lists; or
 * - no `Origin`, or the opaque `null` that browsers send under `Referrer-Policy: no-referrer`, and then
 *   `Sec-Fetch-Site: same-origin`, which no page can set (for a sandboxed frame browsers say cross-site); or
 * - no `Origin` and `Sec-Fetch-Site: none`: the person did it, no page.
 *
 * Neither field: refused. Every browser in support sends one on unsafe methods and WebSockets; programs use a token.
 */
export function isFromAllowedOrigin(head: RequestHead, resource: Resource): boolean {
  if (head.websocket === undefined && isSafeMethod(head.method)) return true;
  const { origin, fetchSite } = head;
  if (origin !== undefined && origin !== 'null') {
    return origin === resource.origin || resource.corsOrigins.includes(origin);
  }
  return fetchSite === 'same-origin' || (origin === undefined && fetchSite === 'none');
}

/** RFC 9110 §9.2.1. */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
