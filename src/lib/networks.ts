import ipaddr from 'ipaddr.js';

/** A set of networks: is this address in one of them? Mapped IPv4 (`::ffff:192.0.2.1`) counts as IPv4. */
export type Networks = (address: string) => boolean;

type Cidr = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** From `10.0.0.0/8`, `2001:db8::/32` or single addresses; text that is none of these belongs to nothing (see `isNetwork`). */
export function createNetworks(texts: readonly string[]): Networks {
  const cidrs = texts.map(parseNetwork).filter((cidr) => cidr !== undefined);
  if (cidrs.length === 0) return () => false;
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && cidrs.some(([base, bits]) => contains(base, bits, address));
  };
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

export const isLoopback: Networks = createNetworks(['127.0.0.0/8', '::1']);

/** The usual text of an address, mapped IPv4 as IPv4, without zone; undefined when it is none. */
export function plainAddress(text: string): string | undefined {
  return parseAddress(text)?.toString();
}

/** One text per client that can change its address at will: an IPv6 host owns its /64. */
export function clientNetwork(text: string): string {
  const address = parseAddress(text);
  if (address?.kind() !== 'ipv6') return address?.toString() ?? text;
  return `${address.toByteArray().slice(0, 8).join('.')}/64`;
}

function contains(base: ipaddr.IPv4 | ipaddr.IPv6, bits: number, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return base.kind() === address.kind() && address.match(base as never, bits);
}

function parseNetwork(text: string): Cidr | undefined {
  if (!text.includes('/')) {
    const address = parseAddress(text);
    return address && [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  const [front = '', bits = ''] = text.split('/', 2);
  const address = parseAddress(front);
  if (!address || !/^\d{1,3}$/.test(bits) || text !== `${front}/${bits}`) return undefined;
  const most = address.kind() === 'ipv4' ? 32 : 128;
  return Number(bits) <= most ? [address, Number(bits)] : undefined;
}

/** Only what has one reading: four decimals, or IPv6. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  const bare = text.replace(/%[\w.-]{1,32}$/, '');
  if (!bare.includes(':') || !ipaddr.IPv6.isValid(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}
