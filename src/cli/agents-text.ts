import type { AgentView, TokenView } from '../client/agents.ts';
import { counted } from '../lib/counted.ts';
import { facts, table, timeOf } from './table.ts';

export function agentTable(agents: readonly AgentView[]): string {
  return table(
    ['AGENT', 'STATE', 'TUNNELS', 'STREAMS', 'SERVES'],
    agents.map((agent) => [
      agent.name,
      stateOf(agent),
      String(agent.tunnels.length),
      String(agent.tunnels.reduce((sum, { streams }) => sum + streams, 0)),
      served(agent).join(', '),
    ]),
  );
}

export function agentDetails(agent: AgentView): string {
  const known: [string, string][] = [
    ['State', stateOf(agent)],
    ['Enrolled', timeOf(agent.enrolledAt)],
    ['Revoked', timeOf(agent.revokedAt)],
    ['Drained', timeOf(agent.drainedAt)],
    ['Key', agent.keyThumbprint ?? '-'],
    ['May announce', agent.scope.join(', ') || 'what the relay gives it'],
  ];
  const tunnels = agent.tunnels.map(
    ({ id, connectedAt, expiresAt, streams, roundTripMs }) =>
      `\nTunnel ${id}\n  since ${timeOf(connectedAt)}, credential until ${timeOf(expiresAt)}\n  ${counted(streams, 'stream')}, round trip ${roundTripMs.toFixed(1)} ms\n`,
  );
  return `${agent.name}\n${facts(known)}${tunnels.join('')}${served(agent)
    .map((line) => `\n  serves ${line}`)
    .join('')}\n`;
}

export function tokenTable(tokens: readonly TokenView[]): string {
  return table(
    ['ID', 'AGENT', 'UNTIL', 'MAY ANNOUNCE'],
    tokens.map(({ id, agent, expiresAt, scope }) => [id, agent, timeOf(expiresAt), scope.join(', ') || '-']),
  );
}

function stateOf({ configured, enrolledAt, revokedAt, drainedAt, tunnels }: AgentView): string {
  if (!configured) return 'not in the configuration';
  if (revokedAt !== null) return 'revoked';
  if (enrolledAt === null) return 'not enrolled';
  if (tunnels.length === 0) return 'not connected';
  return drainedAt === null ? 'connected' : 'drained';
}

function served({ tunnels }: AgentView): string[] {
  const names = [...new Set(tunnels.flatMap(({ resources }) => resources))].toSorted();
  return names.map((name) =>
    tunnels.every((tunnel) => tunnel.unreachable.includes(name) || !tunnel.resources.includes(name))
      ? `${name} (target unreachable)`
      : name,
  );
}
