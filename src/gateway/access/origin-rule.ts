import type { Resource } from '../../domain/resource.ts';
import type { RequestHead } from './1-read.ts';

/**
 * May a request that a cookie authenticates have been sent by the page it claims? Hosts of resources are hostile and
 * same-site with each other, so SameSite cookies are no defence. Safe methods pass; unsafe methods and upgrades need:
 *
 * - `Origin` of the resource itself or one it lists, or a form that another site may post (`unsafeFrom`); or
 * - no `Origin`, or the opaque `null` that browsers send under `Referrer-Policy: no-referrer`, and then
 *   `Sec-Fetch-Site: same-origin`, which no page can set (for a sandboxed frame browsers say cross-site); or
 * - no `Origin` and `Sec-Fetch-Site: none`: the person did it, no page.
 *
 * Neither field: refused. Every browser in support sends one on unsafe methods and WebSockets; programs use a token.
 */
export function isFromAllowedOrigin(head: RequestHead, resource: Resource): boolean {
  const { origin, fetchSite } = head;
  if (head.websocket === undefined && isSafeMethod(head.method)) return isLaxEnough(head, resource);
  if (origin !== undefined && origin !== 'null') {
    return resource.origins.includes(origin) || resource.corsOrigins.includes(origin) || isPosted(head, resource);
  }
  return fetchSite === 'same-origin' || (origin === undefined && fetchSite === 'none');
}

/** RFC 9110 §9.2.1. */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** A form of another site, in a POST to exactly a listed path. */
function isPosted({ method, origin, path, websocket }: RequestHead, { unsafeFrom }: Resource): boolean {
  if (unsafeFrom === undefined || origin === undefined || method !== 'POST' || websocket !== undefined) return false;
  return unsafeFrom.origins.includes(origin) && unsafeFrom.paths.includes(path.raw);
}

/** Where forms of other sites are taken, the cookie is `SameSite=None`; what `Lax` would have kept back is refused here. */
function isLaxEnough(head: RequestHead, { unsafeFrom, corsOrigins }: Resource): boolean {
  if (unsafeFrom === undefined || head.fetchSite !== 'cross-site') return true;
  if (head.origin !== undefined && corsOrigins.includes(head.origin)) return true;
  return head.fetchMode === 'navigate' && head.fetchDest === 'document';
}
