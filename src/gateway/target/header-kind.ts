/** What a field of a client's request is to us, by its name alone. */
export type HeaderKind = 'pass' | 'drop' | 'host' | 'cookie' | 'authorization' | 'connection' | 'content-length';

export interface HeaderName {
  readonly kind: HeaderKind;
  readonly lower: string;
  /** As a target behind CGI or WSGI may read it: everything but letters and digits is the same. */
  readonly folded: string;
}

/** RFC 9110 §7.6.1, with the fields that undici writes itself or that were for us. */
const HOP_BY_HOP = new Set([
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Ours to say, so never a client's. `x-real-ip` too: many apps trust it as the client's address. */
const RESERVED = /^(?:x-postern-.*|postern-token|x-request-id|x-forwarded-.*|forwarded|x-real-ip)$/;

/** Names repeat: what was seen is remembered, bounded, and emptied when full. */
const known = new Map<string, HeaderName>();
const MAX_KNOWN = 2_048;

export function headerName(name: string): HeaderName {
  let found = known.get(name);
  if (found === undefined) {
    found = classify(name.toLowerCase());
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(name, found);
  }
  return found;
}

export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

export function isHopByHop(lower: string): boolean {
  return lower === 'connection' || HOP_BY_HOP.has(lower);
}

function classify(lower: string): HeaderName {
  const folded = foldName(lower);
  return { kind: kindOf(lower, folded), lower, folded };
}

function kindOf(lower: string, folded: string): HeaderKind {
  switch (lower) {
    case 'host':
    case 'cookie':
    case 'authorization':
    case 'connection':
    case 'content-length':
      return lower;
    default:
      return HOP_BY_HOP.has(lower) || RESERVED.test(folded) ? 'drop' : 'pass';
  }
}
