import type { AuditLog } from '../audit/open-log.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import type { StrangerMeter } from '../gateway/ports.ts';
import { createAgentTunnels } from '../gateway/tunnel/agent-tunnels.ts';
import type { CredentialPort } from '../gateway/tunnel/credential-port.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import type { Logger } from '../lib/log.ts';
import { HEARTBEAT_MS } from '../tunnel/heartbeat.ts';
import { AnnouncedResources } from './announced-resources.ts';
import type { SnapshotHolder } from './snapshot-holder.ts';

export interface TunnelSurroundings {
  readonly config: RelayConfig;
  readonly snapshots: SnapshotHolder;
  readonly credentials: CredentialPort;
  readonly audit: AuditLog;
  readonly strangers: StrangerMeter;
  readonly log: Logger;
  /** Called when an agent brought a resource that the file does not know. */
  readonly onAnnounced: () => void;
}

/** Where agents connect, and the resources that they bring. */
export function assembleTunnels(surroundings: TunnelSurroundings) {
  const { config, snapshots, credentials, audit, strangers, log, onAnnounced } = surroundings;
  const announced = new AnnouncedResources(config, snapshots, ({ name, host, protocol, agents: [agent = ''] }) => {
    onAnnounced();
    const at = clock();
    audit
      .append({
        kind: 'agent.announced',
        id: sortableId(at),
        at,
        agent,
        reason: protocol === 'http' ? `${name} at ${host}` : `${name}, ${protocol}`,
      })
      .catch((error: unknown) => log.error({ error: messageOf(error) }, 'an announced resource was not recorded'));
  });
  const agentTunnels = createAgentTunnels({
    relayId: config.relay.id,
    relayOrigin: config.relay.origin,
    heartbeatMs: HEARTBEAT_MS,
    credentials,
    judgeAnnouncement: announced.judge,
    audit,
    strangers,
    log,
    clock,
  });
  return { announced, agentTunnels };
}
