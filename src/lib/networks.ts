import { type Address, type Cidr, isWithin, parseAddress, widthOf } from './network/address.ts';

/** A set of networks: is this address in one of them? Mapped IPv4 (`::ffff:192.0.2.1`) counts as IPv4. */
export type Networks = (address: string) => boolean;

/** From `10.0.0.0/8`, `2001:db8::/32` or single addresses; text that is none of these belongs to nothing (see `isNetwork`). */
export function createNetworks(texts: readonly string[]): Networks {
  const cidrs = texts.map(parseNetwork).filter((cidr) => cidr !== undefined);
  if (cidrs.length === 0) return () => false;
  return (text) => {
    const address = parseClientAddress(text);
    return address !== undefined && cidrs.some((cidr) => isWithin(address, cidr));
  };
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

export const isLoopback: Networks = createNetworks(['127.0.0.0/8', '::1']);

/** The usual text of an address, mapped IPv4 as IPv4, without zone; undefined when it is none. */
export function plainAddress(text: string): string | undefined {
  return parseClientAddress(text)?.toString();
}

/** One text per client that can change its address at will: an IPv6 host owns its /64. */
export function clientNetwork(text: string): string {
  const address = parseClientAddress(text);
  if (address?.kind() !== 'ipv6') return address?.toString() ?? text;
  return `${address.toByteArray().slice(0, 8).join('.')}/64`;
}

/** The address of a client, mapped IPv4 as IPv4, without zone: only what has one reading. */
export function parseClientAddress(text: string): Address | undefined {
  const address = parseAddress(text.includes(':') ? text.replace(/%[\w.-]{1,32}$/, '') : text);
  return address !== undefined && 'parts' in address && address.isIPv4MappedAddress()
    ? address.toIPv4Address()
    : address;
}

/** Other than `parseCidr` it lets bits stand behind the prefix. */
function parseNetwork(text: string): Cidr | undefined {
  const [front = '', digits] = text.split('/', 2);
  const base = parseClientAddress(front);
  if (base === undefined) return undefined;
  const most = widthOf(base);
  if (digits === undefined) return { base, bits: most };
  if (!/^\d{1,3}$/.test(digits) || text !== `${front}/${digits}`) return undefined;
  return Number(digits) <= most ? { base, bits: Number(digits) } : undefined;
}
