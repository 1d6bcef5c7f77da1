import type { OpenRequest } from '../access/open-request.ts';
import { clientHeaders } from './client-headers.ts';

/** Fields that say how to frame, route, trust or keep a message; they come too late in a trailer (RFC 9110 §6.5.1). */
const NEVER_IN_TRAILERS =
  /^(?:age|authorization|cache-control|clear-site-data|content-.*|date|expires|host|location|max-forwards|pragma|proxy-.*|range|refresh|retry-after|set-cookie|strict-transport-security|vary|via|warning|www-authenticate|access-control-.*|x-postern-.*)$/i;

/**
 * The target's trailers, to a client that said it takes them (RFC 9110 §6.5.1 lets anyone on the way discard them; those
 * of requests are). They need an answer in chunks.
 */
export function addTrailers({ exchange, head, door }: OpenRequest, raw: readonly string[]): void {
  if (!head.takesTrailers || raw.length === 0) return;
  const fields = clientHeaders(raw, door.isPosternCookie);
  const passed: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (!NEVER_IN_TRAILERS.test(name)) passed.push([name, fields[at + 1] ?? '']);
  }
  if (passed.length > 0) exchange.res.addTrailers(passed);
}
