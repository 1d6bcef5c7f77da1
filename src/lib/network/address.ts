import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * An address of a destination. Other than in `../networks.ts`, where clients are told apart, IPv4 mapped into IPv6 is an
 * address of its own: whoever dials it goes another way.
 */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface Cidr {
  readonly base: Address;
  readonly bits: number;
}

const FOUR_DECIMALS = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;
/** The library takes it for IPv4 mapped into IPv6, which is another address (RFC 4291 §2.5.5.1). */
const COMPATIBLE = /^::\d+\./;

/** Only what has one reading: four decimals, or IPv6 without a zone. */
export function parseAddress(text: string): Address | undefined {
  // Names are most of what is looked at, and the library's own look at them is slow.
  if (FOUR_DECIMALS.test(text)) return ipaddr.IPv4.isValid(text) ? ipaddr.IPv4.parse(text) : undefined;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return ipaddr.IPv6.parse(COMPATIBLE.test(text) ? `0${text}` : text);
}

/** The usual text of an address (RFC 5952); undefined when it is none. */
export function plainText(text: string): string | undefined {
  return parseAddress(text)?.toString();
}

export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** `10.0.0.0/8`, `fd00::/8` or a single address. Undefined also where bits are set behind the prefix: it may be a slip. */
export function parseCidr(text: string): Cidr | undefined {
  const [front = '', digits] = text.split('/', 2);
  const base = parseAddress(front);
  if (base === undefined) return undefined;
  const most = widthOf(base);
  if (digits === undefined) return { base, bits: most };
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || text !== `${front}/${digits}` || Number(digits) > most) return undefined;
  const bits = Number(digits);
  return isBase(base, bits) ? { base, bits } : undefined;
}

export function isWithin(address: Address, { base, bits }: Cidr): boolean {
  return base.kind() === address.kind() && address.match(base as never, bits);
}

/** Of a single address. */
export function isSingle({ base, bits }: Cidr): boolean {
  return bits === widthOf(base);
}

/** The IPv4 addresses in which packets to an IPv6 address may end: mapped, translated (NAT64, SIIT), 6to4. */
export function embeddedAddress(address: Address): Address | undefined {
  if (address.kind() === 'ipv4') return undefined;
  const bytes = address.toByteArray();
  if (isWithin(address, SIX_TO_FOUR)) return new ipaddr.IPv4(bytes.slice(2, 6));
  return EMBEDDING.some((cidr) => isWithin(address, cidr)) ? new ipaddr.IPv4(bytes.slice(12)) : undefined;
}

/** For networks that are written in code. */
export function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`${text} is no network.`);
  return cidr;
}

function isBase(address: Address, bits: number): boolean {
  return address.toByteArray().every((byte, at) => (byte & (0xff >> Math.min(8, Math.max(0, bits - at * 8)))) === 0);
}

/** In bits. */
export function widthOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}

const SIX_TO_FOUR = cidrOf('2002::/16');
const EMBEDDING = ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48'].map(cidrOf);
