/** What holds where a file says nothing, as a file would say it. */
export const RELAY_DEFAULTS = {
  'relay.id': 'relay-1',
  'relay.proxyProtocol': false,
  'relay.trustedProxies': [],
  'relay.drain': '10s',
  'relay.credentialLife': '10m',
  dataDir: './data',
  'provider.scopes': ['openid', 'email', 'profile', 'groups'],
  'provider.groupsClaim': 'groups',
  'sessions.idle': '8h',
  'sessions.absolute': '24h',
  'sessions.requestsPerSecond': 1_000,
  // Of leases, which there are once `leases.ports` says where.
  'leases.listen': '127.0.0.1',
  'leases.connections': 1,
  'policy.directory': './policies',
  'audit.commitTimeout': '2s',
} as const;

export const AGENT_DEFAULTS = { stateDir: './agent', heartbeat: '15s' } as const;

/** `host` and `title` follow from the resource's name. */
export const RESOURCE_DEFAULTS = { protocol: 'http', tags: [], paths: 'strict', websocket: true } as const;
