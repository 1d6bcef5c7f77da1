import { type Static, Type } from 'typebox';
import type { Credentials } from '../../identity/credentials.ts';
import type { Enrolling } from '../../identity/enrollment.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, PosternError } from '../../lib/errors.ts';
import { personOf } from '../permission.ts';
import type { ControlPlugin } from '../ports.ts';
import { problemOf, sendProblem } from '../problem.ts';
import { callerOf } from '../sign-in/routes.ts';

export interface AgentRoutesDeps {
  readonly enrollment: Enrolling;
  readonly credentials: Credentials;
  /** Names in the configuration in force. */
  configuredAgents(): readonly string[];
  readonly clock: Clock;
}

/** An agent renews inside its tunnel; these are for starts and reconnects. */
const RATE = { max: 300, timeWindow: 60_000 };

const AgentSummary = Type.Object({
  name: Type.String(),
  enrolledAt: Type.Union([Type.Integer(), Type.Null()]),
  revokedAt: Type.Union([Type.Integer(), Type.Null()]),
  keyThumbprint: Type.Union([Type.String(), Type.Null()]),
});
const AgentList = Type.Object({ agents: Type.Array(AgentSummary) });
type AgentList = Static<typeof AgentList>;

const AgentParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 63 }) });
type AgentParams = Static<typeof AgentParams>;
const Assertion = Type.Object(
  { assertion: Type.String({ minLength: 1, maxLength: 4096 }) },
  { additionalProperties: false },
);

export function agentRoutes(deps: AgentRoutesDeps): ControlPlugin {
  const { enrollment, credentials } = deps;
  return async (app) => {
    app.post('/api/v1/agents/enroll', { config: { permission: 'anyone', rateLimit: RATE } }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return enrollment.enroll(request.body, callerOf(request));
    });

    app.post<{ Body: Static<typeof Assertion> }>(
      '/api/v1/agents/credential',
      { config: { permission: 'anyone', rateLimit: RATE }, schema: { body: Assertion } },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        try {
          return await credentials.authenticate(request.body.assertion);
        } catch (error) {
          if (!hasCode(error, 'credential_refused')) throw error;
          // The relay's time, so that an agent with a wrong clock can say so.
          const problem = { ...problemOf(error, request.id), now: deps.clock() };
          return sendProblem(reply, problem);
        }
      },
    );

    app.get(
      '/api/v1/agents',
      { config: { permission: ['admin', 'security'] }, schema: { response: { 200: AgentList } } },
      async (_request, reply): Promise<AgentList> => {
        const enrolled = new Map((await enrollment.list()).map((agent) => [agent.name, agent]));
        const names = new Set([...deps.configuredAgents(), ...enrolled.keys()]);
        reply.header('cache-control', 'no-store');
        return {
          agents: [...names].toSorted().map((name) => {
            const agent = enrolled.get(name);
            return {
              name,
              enrolledAt: agent?.enrolledAt ?? null,
              revokedAt: agent?.revokedAt ?? null,
              keyThumbprint: agent?.keyThumbprint ?? null,
            };
          }),
        };
      },
    );

    app.post<{ Params: AgentParams }>(
      '/api/v1/agents/:name/tokens',
      { config: { permission: ['admin'] }, schema: { params: AgentParams } },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        return enrollment.createToken(request.params.name, personOf(request).session.principal.id);
      },
    );

    app.post<{ Params: AgentParams }>(
      '/api/v1/agents/:name/revoke',
      { config: { permission: ['admin'] }, schema: { params: AgentParams } },
      async (request) => {
        const { name } = request.params;
        if (!(await enrollment.revoke(name, personOf(request).session.principal.id))) {
          throw new PosternError('not_found', `No agent ${name} is enrolled, or it was revoked before.`);
        }
        return { revoked: name };
      },
    );
  };
}
