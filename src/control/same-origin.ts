import type { FastifyRequest } from 'fastify';
import { PosternError } from '../lib/errors.ts';

const SAFE = new Set(['GET', 'HEAD']);

/**
 * Resource hosts are hostile and of the same site, so SameSite cookies defend nothing: what a cookie authenticates must
 * come from the relay's own origin. Navigations may come from anywhere, but only to pages and only with GET.
 * A request without a cookie (token of the command line) needs no Origin. Asked of every request to a route that is not
 * for `anyone`, before anything is read.
 */
export function refuseForeignOrigin(request: FastifyRequest, origin: string): void {
  const { headers, method } = request;
  const foreign = headers.origin !== undefined && headers.origin !== origin;
  const site = headers['sec-fetch-site'];
  const fromElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none';
  const toPage = headers['sec-fetch-mode'] === 'navigate' && SAFE.has(method) && !request.url.startsWith('/api/');
  const unsaid = !SAFE.has(method) && headers.cookie !== undefined && headers.origin === undefined;
  if (foreign || (fromElsewhere && !toPage) || unsaid) refuse('came from another site');
}

/**
 * What changes state by cookie is a fetch of our own pages: exact origin, same origin by the browser's own word, JSON.
 * Asked wherever a session's cookie says who somebody is, on routes for `anyone`, too.
 */
export function refuseForgery({ method, headers }: FastifyRequest, origin: string): void {
  if (SAFE.has(method)) return;
  const json = /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
  if (json && headers.origin === origin && headers['sec-fetch-site'] === 'same-origin') return;
  refuse('did not come from a page of Postern');
}

function refuse(why: string): never {
  throw new PosternError('forbidden', `This request ${why}. Open Postern itself and try again.`);
}
