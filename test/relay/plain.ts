import type { RelayConfig } from '../../src/config/relay-config.ts';

/** A relay on any port of the loopback, with nothing in front of it. */
export const PLAIN: RelayConfig['relay'] = {
  origin: 'https://access.test',
  host: 'access.test',
  id: 'relay-1',
  contact: undefined,
  drainMs: 0,
  credentialLifeMs: 600_000,
  listen: { host: '127.0.0.1', port: 0 },
  tls: undefined,
  trustedProxies: [],
  proxyProtocol: false,
  metrics: undefined,
};
