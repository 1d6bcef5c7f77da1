import type { FastifyRequest } from 'fastify';
import { PosternError } from '../lib/errors.ts';

const SAFE = new Set(['GET', 'HEAD']);

/**
 * Resource hosts are hostile and of the same site, so SameSite cookies defend nothing: what a cookie authenticates must
 * come from the relay's own origin. Navigations may come from anywhere, but only to pages and only with GET.
 * A request without a cookie (token of the command line) needs no Origin.
 */
export function refuseForeignOrigin(request: FastifyRequest, origin: string): void {
  const { headers, method } = request;
  if (headers.origin !== undefined && headers.origin !== origin) refuse();
  const site = headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  const navigation = headers['sec-fetch-mode'] === 'navigate' && SAFE.has(method);
  if (foreign && !(navigation && !request.url.startsWith('/api/'))) refuse();
  if (SAFE.has(method) || headers.cookie === undefined) return;
  if (headers.origin === undefined) refuse();
}

function refuse(): never {
  throw new PosternError('forbidden', 'This request came from another site. Open Postern itself and try again.');
}
