import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Name resolution as browsers do it: `localhost` and every name below it is the loopback (RFC 6761 §6.3), which
 * Node's resolver does not know. Pass it as the `lookup` of a socket; the name stays in Host and in TLS.
 */
export const lookupWithLocalhost: LookupFunction = (hostname, options, callback) => {
  if (!isLocalhostName(hostname)) return lookup(hostname, options, callback);
  const loopback = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  const wanted = loopback.filter(
    ({ family }) => !options.family || options.family === family || options.family === `IPv${family}`,
  );
  const first = wanted[0];
  process.nextTick(() => {
    if (options.all) callback(null, wanted);
    else callback(null, first?.address ?? '127.0.0.1', first?.family ?? 4);
  });
};

export function isLocalhostName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/i.test(hostname);
}
