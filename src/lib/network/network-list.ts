import { type Address, type Cidr, isSingle, isWithin, parseAddress, parseCidr } from './address.ts';
import type { Endpoint } from './endpoint.ts';
import { matchesName, type NamePattern, parseNamePattern, specificity } from './name-pattern.ts';
import { hasPort, type Ports, parsePorts } from './ports.ts';
import { isSpecial } from './special-addresses.ts';

/** What an agent serves as one network resource, as its configuration says it and its announcement carries it. */
export interface NetworkTexts {
  /** `db1.lan`, `*.corp.internal`, `*`. */
  readonly hosts: readonly string[];
  /** `10.0.0.0/8`, `192.168.7.9`, `fd00::/8`. */
  readonly addresses: readonly string[];
  /** `22`, `5000-5999`, `*`. */
  readonly ports: readonly string[];
}

/**
 * The destinations of one network resource: a listed name at a listed port, wherever it resolves to, and a listed address
 * at a listed port. Special addresses (loopback, link-local, metadata, …) are dialled only where they are listed one by one,
 * whatever name led to them.
 */
export class NetworkList {
  readonly texts: NetworkTexts;
  readonly ports: readonly Ports[];
  readonly #names: readonly NamePattern[];
  readonly #cidrs: readonly Cidr[];

  /** Texts that cannot be read list nothing (see `faultOf`). */
  constructor(texts: NetworkTexts) {
    this.texts = texts;
    this.#names = texts.hosts.flatMap((text) => parseNamePattern(text) ?? []);
    this.#cidrs = texts.addresses.flatMap((text) => parseCidr(text) ?? []);
    this.ports = texts.ports.flatMap((text) => parsePorts(text) ?? []);
  }

  /** How specifically it lists where somebody wants to go; the greater, the better. Undefined: not at all. */
  rank({ host, port }: Endpoint): number | undefined {
    if (!this.hasPort(port)) return undefined;
    const address = parseAddress(host);
    const ranks = address
      ? this.#listing(address).map(({ bits }) => bits)
      : this.#names.filter((pattern) => matchesName(pattern, host)).map(specificity);
    return ranks.length === 0 ? undefined : Math.max(...ranks);
  }

  hasPort(port: number): boolean {
    return this.ports.some((ports) => hasPort(ports, port));
  }

  /** Whether the address may be dialled because it is listed itself. */
  lists(address: string): boolean {
    const parsed = parseAddress(address);
    return parsed !== undefined && this.#listing(parsed).length > 0;
  }

  /** Whether the address may be dialled for a listed name that resolved to it. */
  takes(address: string): boolean {
    const parsed = parseAddress(address);
    return parsed !== undefined && (!isSpecial(parsed) || this.#listing(parsed).length > 0);
  }

  #listing(address: Address): Cidr[] {
    const special = isSpecial(address);
    return this.#cidrs.filter((cidr) => isWithin(address, cidr) && (!special || isSingle(cidr)));
  }
}
