/** `__Host-` pins a cookie to one host, https and path `/` (RFC 6265bis §4.1.3.2). */
export const SESSION_COOKIE = '__Host-postern-session';
export const FLOW_COOKIE_PREFIX = '__Host-postern-flow-';

const RESERVED_PREFIX = '__host-postern-';

/** Cookies that targets never see and may not set. */
export function isPosternCookie(name: string): boolean {
  return name.trim().toLowerCase().startsWith(RESERVED_PREFIX);
}

/**
 * Value of the one cookie of this exact name. Undefined when there is none, and also when there are two: which of them
 * counts would be a guess.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined;
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (equals === -1 || part.slice(0, equals).trim() !== name) continue;
    if (found !== undefined) return undefined;
    found = part.slice(equals + 1).trim();
  }
  return found === '' ? undefined : found;
}

/** Ids of the flow cookies, oldest first: an id begins with its time. */
export function flowIdsOf(header: string | undefined): string[] {
  const ids = new Set<string>();
  for (const part of header?.split(';') ?? []) {
    const key = part.slice(0, Math.max(0, part.indexOf('='))).trim();
    const id = key.startsWith(FLOW_COOKIE_PREFIX) ? key.slice(FLOW_COOKIE_PREFIX.length) : '';
    if (FLOW_ID.test(id)) ids.add(id);
  }
  return [...ids].toSorted();
}

export const FLOW_ID: RegExp = /^[0-9a-f]{12}-[0-9a-f]{16}$/;

export function setCookie(
  name: string,
  value: string,
  maxAgeSeconds?: number,
  sameSite: 'Lax' | 'None' = 'Lax',
): string {
  const life = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${sameSite}${life}`;
}

export function dropCookie(name: string): string {
  return setCookie(name, '', 0);
}
