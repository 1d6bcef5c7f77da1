import type { FastifyInstance } from 'fastify';
import type { Services } from '../../identity/services.ts';
import { PosternError } from '../../lib/errors.ts';
import { actorOf } from '../api/actor.ts';
import { Nothing } from '../contract/parts.ts';
import {
  IssuedServiceToken,
  NewServiceToken,
  RevokedServiceToken,
  RotateBody,
  RotatedServiceToken,
  ServiceParams,
  ServiceTokenParams,
} from '../contract/services.ts';
import { OPERATORS } from '../permission.ts';

/** Tokens of services: made, replaced and withdrawn by people. `hasResource`: is there one of this name? */
export function serveServiceTokens(
  app: FastifyInstance,
  services: Services,
  hasResource: (name: string) => boolean,
): void {
  app.post<{ Params: ServiceParams; Body: NewServiceToken }>(
    '/api/v1/services/:name/tokens',
    {
      config: { permission: OPERATORS, summary: 'A token of a service for some resources' },
      schema: { params: ServiceParams, body: NewServiceToken, response: { 200: IssuedServiceToken } },
    },
    async (request) => {
      const { scope, expiresAt, label } = request.body;
      const missing = scope.find((name) => !hasResource(name));
      if (missing !== undefined)
        throw new PosternError(
          'not_found',
          `There is no resource ${missing}. Those that there are stand under resources in postern.yaml.`,
        );
      return services.issueToken(request.params.name, { scope, expiresAt, label }, actorOf(request));
    },
  );

  app.post<{ Params: ServiceTokenParams; Body: RotateBody }>(
    '/api/v1/services/:name/tokens/:id/rotate',
    {
      config: { permission: OPERATORS, summary: 'A new token in place of an old one, which goes on for a while' },
      schema: { params: ServiceTokenParams, body: RotateBody, response: { 200: RotatedServiceToken } },
    },
    async (request) => {
      const { name, id } = request.params;
      return services.rotateToken(name, id, actorOf(request), request.body);
    },
  );

  app.post<{ Params: ServiceTokenParams }>(
    '/api/v1/services/:name/tokens/:id/revoke',
    {
      config: { permission: OPERATORS, summary: 'Withdraw a token of a service and cut what it has open' },
      schema: { params: ServiceTokenParams, body: Nothing, response: { 200: RevokedServiceToken } },
    },
    async (request) => {
      const { name, id } = request.params;
      await services.revokeToken(name, id, actorOf(request));
      return { revoked: id };
    },
  );
}
