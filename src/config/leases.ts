import { isLoopback, plainAddress } from '../lib/networks.ts';
import { RELAY_DEFAULTS } from './defaults.ts';
import type { Listening } from './listening.ts';
import type { Reading } from './relay-sections.ts';
import type { RelayOrigin } from './resources.ts';

/** Ports that people lease for programs that cannot sign in. */
export interface LeaseConfig {
  /** First and last. */
  readonly ports: readonly [number, number];
  /** Address that they listen on. */
  readonly listen: string;
  /** The most that one lease takes. */
  readonly connections: number;
  /** What people connect to. */
  readonly host: string;
}

/** Undefined: no ports are leased. Refuses what would not see who connects. */
export function readLeases(
  { document, problems }: Reading,
  listening: Listening | undefined,
  origin: RelayOrigin | undefined,
): LeaseConfig | undefined {
  const { leases } = document.value;
  if (!leases || !listening || !origin) return undefined;
  const { listen = RELAY_DEFAULTS['leases.listen'], connections = RELAY_DEFAULTS['leases.connections'] } = leases;
  const [first = 0, last = 0] = leases.ports.split('-').map(Number);
  const wrong = (key: 'ports' | 'listen', text: string) => problems.add(document.place('leases', key), text);

  if (first < 1 || last > 65_535 || first > last)
    wrong('ports', '"leases.ports" must be a first and a last port, such as 20000-20100');
  for (const [setting, address] of [
    ['relay.listen', listening.listen],
    ['relay.tls.redirectFrom', listening.tls?.redirectFrom],
    ['relay.metrics', listening.metrics],
  ] as const)
    if (address && address.port >= first && address.port <= last)
      wrong('ports', `"leases.ports" holds port ${address.port}, which is that of "${setting}"`);
  if (plainAddress(listen) === undefined)
    wrong('listen', '"leases.listen" must be an address such as 127.0.0.1 or 0.0.0.0');
  if (listening.trustedProxies.length > 0 && !listening.proxyProtocol)
    problems.add(
      document.place('leases'),
      '"leases" needs "relay.proxyProtocol" where "relay.trustedProxies" are in front: a leased port knows its person by the address they connect from, and only the PROXY protocol tells it',
    );
  const seenByAll = listening.proxyProtocol || !isLoopback(listen);
  return { ports: [first, last], listen, connections, host: seenByAll ? origin.host : listen };
}
