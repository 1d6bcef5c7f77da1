import type { TunnelView } from '../../domain/live.ts';
import type { Credentials } from '../../identity/credentials.ts';
import type { Enrolling } from '../../identity/enrollment.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, PosternError } from '../../lib/errors.ts';
import { actorOf } from '../api/actor.ts';
import {
  AgentList,
  AgentParams,
  AgentQuery,
  CredentialBody,
  DrainBody,
  DrainedAgent,
  EnrollBody,
  Enrolled,
  EnrollmentToken,
  EnrollmentTokenList,
  IssuedCredential,
  NewToken,
  RevokedAgent,
  TokenParams,
} from '../contract/agents.ts';
import { Nothing } from '../contract/parts.ts';
import type { ControlPlugin } from '../ports.ts';
import { problemOf, sendProblem } from '../problem.ts';
import { callerOf } from '../sign-in/routes.ts';

export interface AgentRoutesDeps {
  readonly enrollment: Enrolling;
  readonly credentials: Credentials;
  /** Names in the configuration in force. */
  configuredAgents(): readonly string[];
  /** Live ones at this relay, newest first for each agent. */
  tunnels(): readonly TunnelView[];
  readonly clock: Clock;
}

/** An agent renews inside its tunnel; these are for starts and reconnects, of many agents behind one address. */
const RATE = { max: 3_000, timeWindow: 60_000 };

const CREDENTIAL_REFUSED =
  'The relay does not accept this agent: it is not enrolled, was revoked, or its clock is wrong.';

const DEFAULT_LIMIT = 200;

export function agentRoutes(deps: AgentRoutesDeps): ControlPlugin {
  const { enrollment, credentials } = deps;
  return async (app) => {
    app.post(
      '/api/v1/agents/enroll',
      {
        config: {
          permission: 'anyone',
          rateLimit: RATE,
          summary: 'Bind an agent’s key to its name, once for each token',
        },
        schema: { body: EnrollBody, response: { 200: Enrolled } },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        return enrollment.enroll(request.body, callerOf(request));
      },
    );

    app.post<{ Body: CredentialBody }>(
      '/api/v1/agents/credential',
      {
        config: { permission: 'anyone', rateLimit: RATE, summary: 'A device credential for an enrolled agent' },
        schema: { body: CredentialBody, response: { 200: IssuedCredential } },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        try {
          return await credentials.authenticate(request.body.assertion);
        } catch (error) {
          if (!hasCode(error, 'credential_refused')) throw error;
          request.log.debug({ reason: error.message }, 'an agent got no device credential');
          // One answer for whatever was wrong, so that nobody learns which agents exist. With the relay's time, so that
          // an agent with a wrong clock can say so.
          const problem = {
            ...problemOf({ code: error.code, message: CREDENTIAL_REFUSED }, request.id),
            now: deps.clock(),
          };
          return sendProblem(reply, problem);
        }
      },
    );

    app.get<{ Querystring: AgentQuery }>(
      '/api/v1/agents',
      {
        config: { permission: ['admin', 'security'], summary: 'Agents by name, with their live tunnels' },
        schema: { querystring: AgentQuery, response: { 200: AgentList } },
      },
      async (request, reply): Promise<AgentList> => {
        const { after, limit = DEFAULT_LIMIT } = request.query;
        const configured = new Set(deps.configuredAgents());
        const enrolled = new Map((await enrollment.list()).map((agent) => [agent.name, agent]));
        const tunnels = Map.groupBy(deps.tunnels(), ({ agent }) => agent);
        const names = [...new Set([...configured, ...enrolled.keys()])]
          .filter((name) => after === undefined || name > after)
          .toSorted();
        const page = names.slice(0, limit);
        reply.header('cache-control', 'no-store');
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

    app.post<{ Params: AgentParams; Body: NewToken }>(
      '/api/v1/agents/:name/tokens',
      {
        config: { permission: ['admin'], summary: 'A single-use token that enrolls this agent' },
        schema: { params: AgentParams, body: NewToken, response: { 200: EnrollmentToken } },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        return enrollment.createToken(request.params.name, actorOf(request), request.body.scope);
      },
    );

    app.get(
      '/api/v1/agents/tokens',
      {
        config: { permission: ['admin', 'security'], summary: 'Enrollment tokens that can still be redeemed' },
        schema: { response: { 200: EnrollmentTokenList } },
      },
      async (_request, reply): Promise<EnrollmentTokenList> => {
        reply.header('cache-control', 'no-store');
        const tokens = await enrollment.listTokens();
        return { tokens: tokens.map((token) => ({ ...token, scope: [...token.scope] })) };
      },
    );

    app.post<{ Params: TokenParams }>(
      '/api/v1/agents/tokens/:id/revoke',
      {
        config: { permission: ['admin'], summary: 'Withdraw an enrollment token' },
        schema: { params: TokenParams, body: Nothing, response: { 200: RevokedAgent } },
      },
      async (request) => {
        const { id } = request.params;
        if (!(await enrollment.revokeToken(id, actorOf(request)))) {
          throw new PosternError('not_found', `There is no token ${id}, or it was used, revoked or has expired.`);
        }
        return { revoked: id };
      },
    );

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
