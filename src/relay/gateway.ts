import type { RelayConfig } from '../config/relay-config.ts';
import type { LeaseOptions } from '../gateway/connection/leases.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import { type Bounds, personRate } from '../gateway/limits.ts';
import type { GatewayPorts } from '../gateway/ports.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createNetworks } from '../lib/networks.ts';
import { loadQueryKey } from './query-key.ts';

/** The data plane with the names and rates of the configuration. */
export function assembleGateway(
  config: RelayConfig,
  ports: Omit<GatewayPorts, 'relay'>,
  { log, bounds }: { readonly log: Logger; readonly bounds?: Partial<Bounds> },
): Gateway {
  const { id, origin, contact } = config.relay;
  return createGateway(
    { relay: { id, origin, contact }, ...ports },
    {
      queryKey: loadQueryKey(config.dataDir),
      clock,
      log,
      bounds: { personRate: personRate(config.sessions.requestsPerSecond), ...bounds },
      leases: leasesOf(config),
    },
  );
}

function leasesOf({ leases, relay }: RelayConfig): LeaseOptions | undefined {
  return leases && { ...leases, proxies: relay.proxyProtocol ? createNetworks(relay.trustedProxies) : undefined };
}
