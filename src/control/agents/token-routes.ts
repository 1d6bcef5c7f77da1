import type { FastifyInstance } from 'fastify';
import type { Enrolling } from '../../identity/agents/enrollment.ts';
import { PosternError } from '../../lib/errors.ts';
import { actorOf } from '../api/actor.ts';
import {
  AgentParams,
  EnrollmentToken,
  EnrollmentTokenList,
  NewToken,
  RevokedAgent,
  TokenParams,
} from '../contract/agents.ts';
import { Nothing } from '../contract/parts.ts';
import { OPERATORS } from '../permission.ts';

/** Enrollment tokens: made, looked at and withdrawn by people. */
export function serveTokenRoutes(app: FastifyInstance, enrollment: Enrolling): void {
  app.post<{ Params: AgentParams; Body: NewToken }>(
    '/api/v1/agents/:name/tokens',
    {
      config: { permission: ['admin'], summary: 'A single-use token that enrolls this agent' },
      schema: { params: AgentParams, body: NewToken, response: { 200: EnrollmentToken } },
    },
    async (request) => {
      return enrollment.createToken(request.params.name, actorOf(request), request.body.scope);
    },
  );

  app.get(
    '/api/v1/agents/tokens',
    {
      config: { permission: OPERATORS, summary: 'Enrollment tokens that can still be redeemed' },
      schema: { response: { 200: EnrollmentTokenList } },
    },
    async (): Promise<EnrollmentTokenList> => {
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
}
