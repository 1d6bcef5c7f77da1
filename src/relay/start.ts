import type { RelayConfig } from '../config/relay-config.ts';
import type { Permission } from '../control/permission.ts';
import type { Bounds } from '../gateway/limits.ts';
import { offers } from '../gateway/tunnel/upgrade-request.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createAgentStore } from '../store/identity/agents.ts';
import { createLoadedVersions } from '../store/loaded-versions.ts';
import { openStore } from '../store/open.ts';
import { CLIENT_SUBPROTOCOL } from '../tunnel/websocket-upgrade.ts';
import { openAdminSocket, refuseSecondRelay } from './admin-socket.ts';
import { assembleAudit } from './audit.ts';
import { createAuditReader } from './audit-reader.ts';
import { Authority, type AuthorityBounds } from './authority.ts';
import { passChange, withAgents } from './changes.ts';
import { recordConfiguration } from './configuration-record.ts';
import { assembleControl } from './control.ts';
import { drain } from './drain.ts';
import { assembleGateway } from './gateway.ts';
import { assembleIdentity } from './identity.ts';
import { tryLeaseAddress } from './lease-address.ts';
import { listenForRelay } from './listen.ts';
import { openInstruments } from './metrics/instruments.ts';
import { openPolicy } from './policy-in-force.ts';
import { assembleTunnels } from './tunnels.ts';

/** For both ends of what was cut to hear the reason. */
const CUT_MS = 1_000;

export interface RunningRelay {
  /** Where it listens, which may not be the public origin. */
  readonly url: string;
  /** Where metrics and health are, if anywhere. */
  readonly metricsUrl: string | undefined;
  /** `GET /path` of the relay's own host → who may call it. */
  readonly permissions: ReadonlyMap<string, Permission>;
  /** Takes nothing new, lets what is open go on for the drain time, then ends it; no record is lost. Once, however often it is called. */
  close(): Promise<void>;
}

export interface RelayOptions {
  readonly log: Logger;
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  /** Tests make them short. */
  readonly authority?: AuthorityBounds;
  readonly bounds?: Partial<Bounds>;
}

/** Constructs every part, connects them, and listens. The only place that knows both planes. */
export async function startRelay(config: RelayConfig, options: RelayOptions): Promise<RunningRelay> {
  const { log, signal } = options;
  await using undo = new AsyncDisposableStack();
  const stopping = new AbortController();
  const { origin: relayOrigin, id: relayId } = config.relay;
  const { dataDir, databaseUrl } = config;

  await refuseSecondRelay(dataDir);
  const instruments = undo.use(await openInstruments(config.relay.metrics));
  const { commitTimeoutMs } = config.audit;
  const store = undo.use(await openStore({ ...(databaseUrl ? { databaseUrl } : {}), dataDir, log, commitTimeoutMs }));
  const recording = undo.use(await assembleAudit({ config, store, log }));
  const { audit } = recording;
  const strangers = instruments.countStrangers(recording.strangers);

  const versions = createLoadedVersions(store, relayId);
  await recordConfiguration(config, audit, versions);
  const loadedAt = clock();
  undo.defer(() => stopping.abort());
  const agents = createAgentStore(store);
  let mayAnnounce = (await agents.list()).some(({ scope }) => scope.length > 0);
  const policy = await openPolicy({
    config,
    audit,
    versions,
    mayAnnounce: () => mayAnnounce,
    log,
    signal: stopping.signal,
  });
  const snapshot = () => policy.snapshots.current;

  const identity = await assembleIdentity({ config, store, audit, strangers, log });
  const authority = new Authority(
    { silenceMs: () => store.changes.silenceMs, closed: audit.closed },
    options.authority,
  );
  const sessions = authority.guard(identity.sessions);

  const { announced, agentTunnels } = assembleTunnels({
    config,
    snapshots: policy.snapshots,
    credentials: identity.credentials,
    audit,
    strangers,
    log,
    onAnnounced: () => {
      mayAnnounce = true;
    },
  });
  undo.defer(() => agentTunnels.close());

  if (config.leases) await tryLeaseAddress(config.leases);
  const gateway = assembleGateway(
    config,
    {
      snapshot,
      sessions,
      handOff: identity.handOffs,
      audit: instruments.countAccesses(audit),
      tunnels: agentTunnels.directory,
      assertions: identity.assertions,
      receipts: identity.receipts,
      strangers,
    },
    { log, ...(options.bounds ? { bounds: options.bounds } : {}) },
  );
  undo.defer(() => gateway.close());

  const onChange = passChange({ identity, gateway, agentTunnels, announced });
  await store.changes.follow(withAgents(onChange, agents), { signal: stopping.signal });
  policy.follow(onChange);
  undo.use(authority.watch(() => gateway.live.terminate(() => true, 'authority_lost')));

  const control = await assembleControl({
    config,
    loadedAt,
    identity,
    people: identity.readerOf(sessions),
    snapshot,
    audit,
    auditLog: createAuditReader(store, recording.checkpoints),
    policy: { current: () => policy.view() },
    live: gateway.live,
    leases: gateway.leases,
    tunnels: () => agentTunnels.list(),
    log,
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
    tunnels: () => agentTunnels.list(),
    clientTunnels: () => gateway.clientTunnels.count,
    leases: () => gateway.leases?.list() ?? [],
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
        tunnelUpgrade: (req, socket, head) => {
          if (offers(req, CLIENT_SUBPROTOCOL)) gateway.handleClientTunnel(req, socket, head);
          else agentTunnels.handleUpgrade(req, socket, head);
        },
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
  const stop = async (): Promise<void> => {
    instruments.health.phase = 'stopping';
    listener.stopAccepting();
    agentTunnels.drain();
    gateway.drain();
    await drain(gateway.live, config.relay.drainMs, log);
    await gateway.close();
    await drain(gateway.live, CUT_MS, log);
    await running.disposeAsync();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: listener.url,
    permissions: control.permissions,
    metricsUrl: instruments.url,
    close: () => (stopped ??= stop()),
  };
}
