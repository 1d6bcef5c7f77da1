import { type Address, type Cidr, cidrOf, isSingle, isWithin } from './address.ts';

/** Networks that no list means when it says "everything here": the machine itself, its neighbours on the wire, the cloud's own services, and ways around what was listed. */
const SPECIAL = [
  // RFC 6890: this host, loopback, link-local (169.254.169.254 tells secrets of a cloud machine), protocol assignments.
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  // 6to4 relays (RFC 7526), multicast, reserved and broadcast.
  '192.88.99.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Metadata and platform services: Alibaba Cloud, Azure.
  '100.100.100.200/32',
  '168.63.129.16/32',
  // Unspecified, loopback and IPv4-compatible; then IPv4 in other clothes: mapped, SIIT, NAT64, Teredo, 6to4.
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  // Link-local, site-local (RFC 3879), multicast.
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  // Metadata: Amazon, Google.
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
].map(cidrOf);

/** Whether a network lists nothing, since its addresses count one by one only. */
export function isAllSpecial(cidr: Cidr): boolean {
  return !isSingle(cidr) && SPECIAL.some((special) => special.bits <= cidr.bits && isWithin(cidr.base, special));
}

/** Whether an address may be dialled only where it is listed by itself. */
export function isSpecial(address: Address): boolean {
  return SPECIAL.some((cidr) => isWithin(address, cidr));
}
