import type { TunnelView } from '../../domain/live.ts';
import { PosternError } from '../../lib/errors.ts';
import { actorOf } from '../api/actor.ts';
import { AgentList, AgentParams, AgentQuery, DrainBody, DrainedAgent, RevokedAgent } from '../contract/agents.ts';
import { Nothing } from '../contract/parts.ts';
import { OPERATORS } from '../permission.ts';
import type { ControlPlugin } from '../ports.ts';
import { type DeviceRoutesDeps, serveDeviceRoutes } from './device-routes.ts';
import { serveTokenRoutes } from './token-routes.ts';

export interface AgentRoutesDeps extends DeviceRoutesDeps {
  /** Names in the configuration in force. */
  configuredAgents(): readonly string[];
  /** Live ones at this relay, newest first for each agent. */
  tunnels(): readonly TunnelView[];
}

const DEFAULT_LIMIT = 200;

/** Agents: their own requests, and what people do with them. */
export function agentRoutes(deps: AgentRoutesDeps): ControlPlugin {
  const { enrollment } = deps;
  return async (app) => {
    serveDeviceRoutes(app, deps);

    app.get<{ Querystring: AgentQuery }>(
      '/api/v1/agents',
      {
        config: { permission: OPERATORS, summary: 'Agents by name, with their live tunnels' },
        schema: { querystring: AgentQuery, response: { 200: AgentList } },
      },
      async (request): Promise<AgentList> => {
        const { after, limit = DEFAULT_LIMIT } = request.query;
        const configured = new Set(deps.configuredAgents());
        const enrolled = new Map((await enrollment.list()).map((agent) => [agent.name, agent]));
        const tunnels = Map.groupBy(deps.tunnels(), ({ agent }) => agent);
        const names = [...new Set([...configured, ...enrolled.keys()])]
          .filter((name) => after === undefined || name > after)
          .toSorted();
        const page = names.slice(0, limit);
        return {
          agents: page.map((name) => {
            const agent = enrolled.get(name);
            return {
              name,
              configured: configured.has(name),
              enrolledAt: agent?.enrolledAt ?? null,
              revokedAt: agent?.revokedAt ?? null,
              keyThumbprint: agent?.keyThumbprint ?? null,
              scope: [...(agent?.scope ?? [])],
              drainedAt: agent?.drainedAt ?? null,
              tunnels: (tunnels.get(name) ?? []).map(tunnelOf),
            };
          }),
          next: names.length > page.length ? (page.at(-1) ?? null) : null,
        };
      },
    );

    serveTokenRoutes(app, enrollment);

    app.post<{ Params: AgentParams; Body: DrainBody }>(
      '/api/v1/agents/:name/drain',
      {
        config: { permission: ['admin'], summary: 'Give an agent no new streams, or again' },
        schema: { params: AgentParams, body: DrainBody, response: { 200: DrainedAgent } },
      },
      async (request) => {
        const { name } = request.params;
        const { drained } = request.body;
        if (!(await enrollment.drain(name, drained, actorOf(request)))) {
          throw new PosternError('not_found', `No agent ${name} is enrolled.`);
        }
        return { agent: name, drained };
      },
    );

    app.post<{ Params: AgentParams }>(
      '/api/v1/agents/:name/revoke',
      {
        config: { permission: ['admin'], summary: 'Withdraw an agent’s key and end its tunnels' },
        schema: { params: AgentParams, body: Nothing, response: { 200: RevokedAgent } },
      },
      async (request) => {
        const { name } = request.params;
        if (!(await enrollment.revoke(name, actorOf(request)))) {
          throw new PosternError('not_found', `No agent ${name} is enrolled, or it was revoked before.`);
        }
        return { revoked: name };
      },
    );
  };
}

function tunnelOf(view: TunnelView): AgentList['agents'][number]['tunnels'][number] {
  const { tunnel, connectedAt, expiresAt, resources, unreachable, streams, roundTripMs } = view;
  return {
    id: tunnel,
    connectedAt,
    expiresAt,
    resources: [...resources],
    unreachable: [...unreachable],
    streams,
    roundTripMs,
  };
}
