import { fileURLToPath } from 'node:url';
import { Checkpoints } from '../audit/checkpoints.ts';
import { openLog } from '../audit/open-log.ts';
import { StrangerCounter } from '../audit/strangers.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { agentRoutes } from '../control/agents/routes.ts';
import { createControl } from '../control/app.ts';
import { cliRoutes } from '../control/cli/routes.ts';
import type { Permission } from '../control/permission.ts';
import { adminLinkRoutes } from '../control/sign-in/admin-link-routes.ts';
import { signInRoutes } from '../control/sign-in/routes.ts';
import { sessionRoutes } from '../control/sign-in/session-routes.ts';
import type { Change } from '../domain/change.ts';
import { createGateway } from '../gateway/gateway.ts';
import { personRate } from '../gateway/limits.ts';
import { createTunnelEndpoint } from '../gateway/tunnel/accept.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import type { Logger } from '../lib/log.ts';
import { AuditLogTable } from '../store/audit-log.ts';
import { createCheckpointTable } from '../store/checkpoints.ts';
import { createAgentStore } from '../store/identity/agents.ts';
import { createLoadedVersions } from '../store/loaded-versions.ts';
import { openStore } from '../store/open.ts';
import { openAdminSocket } from './admin-socket.ts';
import { AnnouncedResources } from './announced-resources.ts';
import { createAuditReader } from './audit-reader.ts';
import { Authority, type AuthorityBounds } from './authority.ts';
import { loadCheckpointSigner, originOfLog } from './checkpoint-signer.ts';
import { recordConfiguration } from './configuration-record.ts';
import { drain } from './drain.ts';
import { assembleIdentity } from './identity.ts';
import { listenForRelay } from './listen.ts';
import { openInstruments } from './metrics/instruments.ts';
import { openPolicy } from './policy-in-force.ts';
import { loadQueryKey } from './query-key.ts';
import { resourceHost } from './resource-host.ts';

const HEARTBEAT_MS = 15_000;
/** For both ends of what was cut to hear the reason. */
const CUT_MS = 1_000;
const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../web/dist', import.meta.url));

export interface RunningRelay {
  /** Where it listens, which may not be the public origin. */
  readonly url: string;
  /** Where metrics and health are, if anywhere. */
  readonly metricsUrl: string | undefined;
  /** `GET /path` of the relay's own host → who may call it. */
  readonly permissions: ReadonlyMap<string, Permission>;
  /** Takes nothing new, lets what is open go on for the drain time, then ends it; no record is lost. */
  close(): Promise<void>;
}

export interface RelayOptions {
  readonly log: Logger;
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  /** Tests make them short. */
  readonly authority?: AuthorityBounds;
}

/** Constructs every part, connects them, and listens. The only place that knows both planes. */
export async function startRelay(config: RelayConfig, options: RelayOptions): Promise<RunningRelay> {
  const { log, signal } = options;
  await using undo = new AsyncDisposableStack();
  const stopping = new AbortController();
  const { origin: relayOrigin, id: relayId } = config.relay;
  const { dataDir, databaseUrl } = config;

  const instruments = undo.use(await openInstruments(config.relay.metrics));

  const store = undo.use(
    await openStore({
      ...(databaseUrl ? { databaseUrl } : {}),
      dataDir,
      log,
      commitTimeoutMs: config.audit.commitTimeoutMs,
    }),
  );
  const kept = createCheckpointTable(store, relayId);
  const name = originOfLog(relayOrigin, relayId);
  const signer = await loadCheckpointSigner(kept, { dataDir, name, logId: relayId });
  // Disposed after the log, so that the last one covers its last record.
  const checkpoints = undo.use(new Checkpoints({ store: kept, signer, log, clock }));
  const table = new AuditLogTable(store);
  const audit = undo.use(await openLog(table, relayId, log));
  checkpoints.follow(() => audit.state());
  const strangers = instruments.countStrangers(undo.use(new StrangerCounter(audit, log)));
  const versions = createLoadedVersions(store, relayId);
  await recordConfiguration(config, audit, versions);
  const loadedAt = clock();
  undo.defer(() => stopping.abort());
  const agentsMay = { announce: (await createAgentStore(store).list()).some(({ scope }) => scope.length > 0) };
  const mayAnnounce = () => agentsMay.announce;
  const policy = await openPolicy({ config, audit, versions, mayAnnounce, log, signal: stopping.signal });
  const { snapshots } = policy;
  const snapshot = () => snapshots.current;

  const identity = await assembleIdentity({ config, store, audit, strangers, log });
  const authority = new Authority(
    { lastHeardAt: () => store.changes.lastReadAt, closed: audit.closed, clock },
    options.authority,
  );

  const announced = new AnnouncedResources(config, snapshots, ({ name, host, agents: [agent = ''] }) => {
    agentsMay.announce = true;
    const at = clock();
    audit
      .append({ kind: 'agent.announced', id: sortableId(at), at, agent, reason: `${name} at ${host}` })
      .catch((error: unknown) => log.error({ error: messageOf(error) }, 'an announced resource was not recorded'));
  });
  const endpoint = createTunnelEndpoint({
    relayId,
    relayOrigin,
    heartbeatMs: HEARTBEAT_MS,
    credentials: identity.credentials,
    judgeAnnouncement: announced.judge,
    audit,
    strangers,
    log,
    clock,
  });
  undo.defer(() => endpoint.close());

  const gateway = createGateway(
    {
      relay: { id: relayId, origin: relayOrigin, contact: config.relay.contact },
      snapshot,
      sessions: authority.guard(identity.sessions),
      handOff: identity.handOffs,
      audit: instruments.countAccesses(audit),
      tunnels: endpoint.directory,
      assertions: identity.assertions,
      receipts: identity.receipts,
      strangers,
    },
    {
      queryKey: loadQueryKey(dataDir),
      clock,
      log,
      bounds: { personRate: personRate(config.sessions.requestsPerSecond) },
    },
  );
  undo.defer(() => gateway.close());

  // Memory first, live traffic after: whoever is asked again must already know of the change.
  const onChange = (change: Change): void => {
    identity.onChange(change);
    gateway.onChange(change);
    if (change.kind === 'agent_revoked') {
      endpoint.endAgent(change.agent, 'agent_revoked');
      announced.forget(change.agent);
    }
  };
  await store.changes.follow(onChange, { signal: stopping.signal });
  policy.follow(onChange);
  undo.use(authority.watch(() => gateway.live.terminate(() => true, 'authority_lost')));

  const people = identity.readerOf(authority.guard(identity.sessions));
  const resources = () => [...snapshot().resourceByHost.values()];
  const control = await createControl({
    origin: relayOrigin,
    contact: config.relay.contact,
    consoleDirectory: CONSOLE_DIRECTORY,
    log,
    clock,
    people,
    snapshot,
    audit,
    auditLog: createAuditReader(store, checkpoints),
    policy: { current: () => policy.view() },
    configuration: { relay: relayId, hash: config.hash, loadedAt, effective: config },
    live: {
      list: () => gateway.live.list(),
      terminate: (intent) => gateway.live.terminate((access) => access.intent === intent, 'access_terminated') > 0,
    },
    plugins: [
      signInRoutes({
        ...identity,
        people,
        relayOrigin,
        findResource: (host) => resourceHost(snapshot(), host),
      }),
      adminLinkRoutes(identity),
      sessionRoutes(identity),
      cliRoutes({
        tokens: identity.tokens,
        audienceOf: (origin) => resources().find((resource) => resource.origins.includes(origin))?.origin,
      }),
      agentRoutes({
        ...identity,
        configuredAgents: () => config.agents.map((agent) => agent.name),
        tunnels: () => endpoint.list(),
        clock,
      }),
    ],
  });
  undo.defer(() => control.close());

  const sweeping = identity.sweepUntil(stopping.signal);
  undo.defer(() => {
    stopping.abort();
    return sweeping;
  });

  undo.use(await openAdminSocket(dataDir, identity.adminLinks));

  instruments.watch({
    live: () => gateway.live.list(),
    tunnels: () => endpoint.list(),
    auditWaiting: () => audit.waiting,
    auditSize: () => audit.size,
    sessions: () => identity.sessions.reads,
    silenceMs: () => authority.silenceMs,
  });
  signal.throwIfAborted();
  const listener = undo.use(
    await listenForRelay(
      config.relay,
      {
        relayHost: new URL(relayOrigin).host,
        control: instruments.countResponses('control', control.routing.bind(control)),
        tunnelUpgrade: endpoint.handleUpgrade.bind(endpoint),
        gateway: {
          handleRequest: instruments.countResponses('gateway', gateway.handleRequest.bind(gateway)),
          handleUpgrade: gateway.handleUpgrade.bind(gateway),
        },
      },
      { log },
    ),
  );

  instruments.health.unreadyBecause = () => authority.lostBecause;
  instruments.health.phase = 'running';
  log.info({ url: relayOrigin, listen: listener.url, relay: relayId }, 'the relay is ready');
  const running = undo.move();
  return {
    url: listener.url,
    permissions: control.permissions,
    metricsUrl: instruments.url,
    async close() {
      instruments.health.phase = 'stopping';
      listener.stopAccepting();
      endpoint.drain();
      await drain(gateway.live, config.relay.drainMs, log);
      await gateway.close();
      await drain(gateway.live, CUT_MS, log);
      await running.disposeAsync();
    },
  };
}
