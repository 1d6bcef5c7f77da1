import { fileURLToPath } from 'node:url';
import type { RelayConfig } from '../config/relay-config.ts';
import { agentRoutes } from '../control/agents/routes.ts';
import { createControl } from '../control/app.ts';
import { cliRoutes } from '../control/cli/routes.ts';
import { type Leasing, leaseRoutes } from '../control/leases/routes.ts';
import type { ControlDeps } from '../control/ports.ts';
import { serviceRoutes } from '../control/services/routes.ts';
import { adminLinkRoutes } from '../control/sign-in/admin-link-routes.ts';
import { signInRoutes } from '../control/sign-in/routes.ts';
import { sessionRoutes } from '../control/sign-in/session-routes.ts';
import type { TunnelView } from '../domain/live.ts';
import type { LiveTraffic } from '../gateway/ports.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { assembleIdentity } from './identity.ts';
import { resourceHost } from './resource-host.ts';

const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../web/dist', import.meta.url));

export interface ControlSurroundings
  extends Pick<ControlDeps, 'people' | 'snapshot' | 'audit' | 'auditLog' | 'policy' | 'log'> {
  readonly config: RelayConfig;
  /** When the configuration came into force, epoch ms. */
  readonly loadedAt: number;
  readonly identity: Awaited<ReturnType<typeof assembleIdentity>>;
  readonly live: LiveTraffic;
  readonly leases: Leasing | undefined;
  readonly tunnels: () => readonly TunnelView[];
}

/** The relay's own host: sign-in, the API, the console. */
export function assembleControl(surroundings: ControlSurroundings) {
  const { config, loadedAt, identity, live, leases, tunnels, people, snapshot, audit, auditLog, policy, log } =
    surroundings;
  const { id: relayId, host: relayHost, origin: relayOrigin, contact } = config.relay;
  const resources = () => [...snapshot().resourceByHost.values()];
  return createControl({
    origin: relayOrigin,
    contact,
    consoleDirectory: CONSOLE_DIRECTORY,
    log,
    clock,
    people,
    snapshot,
    audit,
    auditLog,
    policy,
    configuration: { relay: relayId, hash: config.hash, loadedAt, effective: config },
    live: {
      list: () => live.list(),
      terminate: (intent) => live.terminate((access) => access.intent === intent, 'access_terminated') > 0,
    },
    plugins: [
      signInRoutes({ ...identity, people, relayOrigin, findResource: (host) => resourceHost(snapshot(), host) }),
      adminLinkRoutes({ ...identity, relayOrigin }),
      sessionRoutes(identity),
      serviceRoutes({ ...identity, hasResource: (name) => snapshot().resourceByName.has(name) }),
      leaseRoutes({ leases, relayHost, relayOrigin }),
      cliRoutes({
        ...identity,
        audienceOf: (origin) => resources().find((resource) => resource.origins.includes(origin))?.origin,
      }),
      agentRoutes({ ...identity, configuredAgents: () => config.agents.map((agent) => agent.name), tunnels, clock }),
    ],
  });
}
