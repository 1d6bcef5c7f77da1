import { posternBearer } from '../access/3-identify.ts';
import { isAnonymous } from '../access/anonymous.ts';
import type { OpenRequest } from '../access/open-request.ts';
import { headerName } from './header-kind.ts';
import { factValue, identityHeaders } from './identity-headers.ts';

/** What the target gets: the client's fields byte for byte, without those that end here or are ours; then ours. Flat name-value list. */
export function targetHeaders(access: OpenRequest, assertion: string | undefined): string[] {
  const { exchange, head, resource, identity, door } = access;
  const raw = exchange.req.rawHeaders;
  const identityFields = identityHeaders(resource);
  const listed = connectionListed(raw);
  const headers: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const { kind, lower, folded } = headerName(name);
    switch (kind) {
      case 'drop':
      case 'connection':
        break;
      case 'host':
        headers.push(name, resource.targetHost ?? value);
        break;
      case 'content-length':
        // Without a body the request's head says by itself what the method calls for.
        if (head.hasBody) headers.push(name, value);
        break;
      case 'cookie': {
        const cookies = withoutCookies(value, door.isPosternCookie);
        if (cookies !== '') headers.push(name, cookies);
        break;
      }
      case 'authorization':
        if (posternBearer(value) === undefined && !identityFields.names.has(folded)) headers.push(name, value);
        break;
      case 'pass':
        if (!listed?.has(lower) && !identityFields.names.has(folded)) headers.push(name, value);
        break;
    }
  }
  if (assertion !== undefined) headers.push('X-Postern-Assertion', assertion);
  headers.push(
    'X-Request-Id',
    access.recorded.id,
    'X-Forwarded-For',
    head.address,
    'X-Forwarded-Proto',
    resource.origin.startsWith('https:') ? 'https' : 'http',
    'X-Forwarded-Host',
    head.host,
  );
  if (isAnonymous(identity)) return headers;
  for (const [name, fact] of identityFields.facts) {
    const value = factValue(identity.session.principal, fact);
    if (value !== undefined) headers.push(name, value);
  }
  return headers;
}

/** Fields that the client declares to be for this hop only. Framing, Host and credentials cannot be listed away. */
function connectionListed(raw: readonly string[]): Set<string> | undefined {
  let listed: Set<string> | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const token of (raw[at + 1] ?? '').split(',')) {
      const option = token.trim().toLowerCase();
      if (option === '' || option === 'keep-alive' || option === 'close' || option === 'upgrade') continue;
      listed ??= new Set();
      listed.add(option);
    }
  }
  return listed;
}

/** A Cookie field without some of its cookies; the others keep their bytes and order. */
function withoutCookies(field: string, drop: (name: string) => boolean): string {
  const pairs = field.split(';');
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf('=');
    return !drop((equals === -1 ? pair : pair.slice(0, equals)).trim());
  });
  return kept.length === pairs.length ? field : kept.join(';').trimStart();
}
