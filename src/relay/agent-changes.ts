import type { Change } from '../domain/change.ts';

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
