import { HOP_BY_HOP } from '../../lib/hop-by-hop.ts';

/** What a field of a client's request is to us, by its name alone. */
export type HeaderKind = 'pass' | 'drop' | 'host' | 'cookie' | 'authorization' | 'connection' | 'content-length';

export interface HeaderName {
  readonly kind: HeaderKind;
  readonly lower: string;
  /** As a target behind CGI or WSGI may read it: everything but letters and digits is the same. */
  readonly folded: string;
}

/** With `Expect`, which was for us, and `Trailer`: those of requests are discarded. */
const DROPPED = new Set([...HOP_BY_HOP, 'expect', 'trailer']);

/**
 * Only a proxy's to say, and apps believe it of whatever is in front of them: ours, the client's address, another path
 * than the one that policy has read, who is signed in, a TLS client certificate (RFC 9440), and `Proxy`, which CGI
 * turns into HTTP_PROXY.
 */
const RESERVED = new RegExp(
  `^(?:${[
    'x-postern-.*|postern-token|x-request-id',
    'x-forwarded-.*|forwarded|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip|fastly-client-ip',
    'x-original-.*|x-rewrite-.*',
    'remote-(?:user|name|email|groups?)|x-remote-.*|x-auth-request-.*|x-webauth-.*',
    'client-cert(?:-chain)?|ssl-client-.*|x-ssl-.*|x-client-cert.*',
    'proxy',
  ].join('|')})$`,
);

/** Names repeat: what was seen is remembered, bounded in number and length, and emptied when full. */
const known = new Map<string, HeaderName>();
const MAX_KNOWN = 2_048;
const MAX_KNOWN_LENGTH = 64;

export function headerName(name: string): HeaderName {
  let found = known.get(name);
  if (found === undefined) {
    found = classify(name.toLowerCase());
    if (name.length <= MAX_KNOWN_LENGTH) {
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(name, found);
    }
  }
  return found;
}

export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
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
      return DROPPED.has(lower) || RESERVED.test(folded) ? 'drop' : 'pass';
  }
}
