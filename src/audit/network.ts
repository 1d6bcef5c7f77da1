import { isIPv4, isIPv6 } from 'node:net';

/** The /24 (IPv4, also mapped into IPv6) or /48 (IPv6) of an address, as `192.0.2.0/24`; `unknown` for anything else. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIPv4(plain)) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  if (!isIPv6(plain)) return 'unknown';
  const [front = '', back] = plain.replace(/%.*$/, '').split('::');
  const before = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  // A dotted end counts for two groups.
  const given = [...before, ...after].reduce((count, group) => count + (group.includes('.') ? 2 : 1), 0);
  const groups = back === undefined ? before : [...before, ...Array<string>(8 - given).fill('0'), ...after];
  const first = groups.slice(0, 3).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/48`;
}
