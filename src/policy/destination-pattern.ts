import type { Destination } from '../domain/destination.ts';
import { type Cidr, embeddedAddress, isWithin, parseAddress, parseCidr } from '../lib/network/address.ts';
import { matchesName, type NamePattern, parseNamePattern } from '../lib/network/name-pattern.ts';
import { hasPort, type Ports, parsePorts } from '../lib/network/ports.ts';

/** Names are compared with what was asked for, networks with the address that will be dialled. */
export interface DestinationPattern {
  readonly host: NamePattern | Cidr;
  readonly ports: Ports;
}

/** `*.corp.internal:22`, `10.0.0.0/8:5000-5999`, `[fd00::/8]:22`, `db1.lan:*`; `*` alone is any name and any address. Or what is wrong with it. */
export function parseDestinationPattern(text: string): DestinationPattern | string {
  const [, six, plain, digits] = /^(?:\[([^\][]+)\]|([^:[\]]+)):([^:]+)$/.exec(text) ?? [];
  const front = six ?? plain;
  if (front === undefined || digits === undefined)
    return `"${text}" must be host:port such as db1.lan:5432, *.corp.internal:22, 10.0.0.0/8:* or [fd00::/8]:22`;
  const ports = parsePorts(digits);
  if (ports === undefined) return `"${digits}" must be a port, a range such as 5000-5999, or "*"`;
  const cidr = parseCidr(front);
  const host = cidr ?? (six === undefined ? parseNamePattern(front) : undefined);
  if (host === undefined)
    return `"${front}" must be a name, "*." and a name, an address, or a network whose address has no bits behind the prefix`;
  return { host, ports };
}

export function matchesDestination({ host: asked, port, address }: Destination, pattern: DestinationPattern): boolean {
  const { host } = pattern;
  if (!hasPort(pattern.ports, port)) return false;
  if (isNetwork(host)) return address !== undefined && isIn(address, host);
  return host.kind === 'any' || (parseAddress(asked) === undefined && matchesName(host, asked));
}

/** Whether it matches once the name is resolved, to whatever address. */
export function mayMatch({ host: asked, port, address }: Destination, pattern: DestinationPattern): boolean {
  if (address === undefined && isNetwork(pattern.host)) return hasPort(pattern.ports, port);
  return matchesDestination({ host: asked, port, address }, pattern);
}

/** A destination as it is, and as packets may arrive where its address holds another. The strictest decision counts. */
export function destinationReadings(destination: Destination): readonly Destination[] {
  const address = destination.address === undefined ? undefined : parseAddress(destination.address);
  const embedded = address && embeddedAddress(address);
  return embedded === undefined ? [destination] : [destination, { ...destination, address: embedded.toString() }];
}

export function isNetwork(host: NamePattern | Cidr): host is Cidr {
  return 'bits' in host;
}

function isIn(text: string, cidr: Cidr): boolean {
  const address = parseAddress(text);
  return address !== undefined && isWithin(address, cidr);
}
