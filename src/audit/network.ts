import { parseClientAddress } from '../lib/networks.ts';

/** The /24 (IPv4, also mapped into IPv6) or /48 (IPv6) of an address, as `192.0.2.0/24`; `unknown` for anything else. */
export function networkOf(text: string): string {
  const address = parseClientAddress(text);
  if (address === undefined) return 'unknown';
  if ('octets' in address) return `${address.octets.slice(0, 3).join('.')}.0/24`;
  const groups = address.parts.slice(0, 3).map((group) => group.toString(16));
  return `${groups.join(':')}::/48`;
}
