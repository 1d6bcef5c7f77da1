import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

const LOOPBACK: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** As the system resolves, but names under `.localhost` are this machine (RFC 6761 §6.3), which Node leaves to the resolver. */
export const lookupRelay: LookupFunction = (hostname, options, callback) => {
  if (!/(^|\.)localhost\.?$/i.test(hostname)) {
    systemLookup(hostname, options, callback);
  } else if (options.all) {
    process.nextTick(() => callback(null, LOOPBACK));
  } else {
    process.nextTick(() => callback(null, '127.0.0.1', 4));
  }
};

/** Where the tunnel is opened. */
export function tunnelUrl(relay: string): URL {
  const url = new URL('/tunnel', relay);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
