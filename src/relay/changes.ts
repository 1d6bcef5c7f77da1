import type { Change } from '../domain/change.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { AgentTunnels } from '../gateway/tunnel/agent-tunnels.ts';
import type { AnnouncedResources } from './announced-resources.ts';

interface ChangeFollowers {
  readonly identity: { onChange(change: Change): void };
  readonly gateway: Gateway;
  readonly agentTunnels: AgentTunnels;
  readonly announced: AnnouncedResources;
}

/** Memory first, live traffic after: whoever is asked again must already know of the change. */
export function passChange({ identity, gateway, agentTunnels, announced }: ChangeFollowers): (change: Change) => void {
  return (change) => {
    identity.onChange(change);
    gateway.onChange(change);
    if (change.kind === 'agent_revoked') {
      agentTunnels.endAgent(change.agent, 'agent_revoked');
      announced.forget(change.agent);
    }
  };
}

interface KnownAgents {
  list(): Promise<
    readonly {
      readonly name: string;
      readonly revokedAt: number | undefined;
      readonly drainedAt: number | undefined;
    }[]
  >;
}

/** `onChange`, which also hears what holds for each agent once nothing that was read before counts. Rejects when that cannot be read. */
export function withAgents(onChange: (change: Change) => void, agents: KnownAgents): (change: Change) => Promise<void> {
  return async (change) => {
    onChange(change);
    if (change.kind !== 'everything_changed') return;
    for (const { name, revokedAt, drainedAt } of await agents.list()) {
      if (revokedAt !== undefined) onChange({ kind: 'agent_revoked', agent: name });
      onChange({ kind: 'agent_drained', agent: name, drained: drainedAt !== undefined });
    }
  };
}
