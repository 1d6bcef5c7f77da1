import type { Services } from '../../identity/services.ts';
import { actorOf } from '../api/actor.ts';
import {
  CreatedService,
  DisableBody,
  DisabledService,
  NewService,
  ServiceList,
  ServiceParams,
  ServiceQuery,
} from '../contract/services.ts';
import { OPERATORS } from '../permission.ts';
import type { ControlPlugin } from '../ports.ts';
import { serveServiceTokens } from './token-routes.ts';

export interface ServiceRoutesDeps {
  readonly services: Services;
  /** In the snapshot in force. */
  readonly hasResource: (name: string) => boolean;
}

const DEFAULT_LIMIT = 100;

/** Programs with an identity of their own. */
export function serviceRoutes({ services, hasResource }: ServiceRoutesDeps): ControlPlugin {
  return async (app) => {
    app.get<{ Querystring: ServiceQuery }>(
      '/api/v1/services',
      {
        config: { permission: OPERATORS, summary: 'Services by name, with their live tokens' },
        schema: { querystring: ServiceQuery, response: { 200: ServiceList } },
      },
      async (request): Promise<ServiceList> => {
        const { after, limit = DEFAULT_LIMIT } = request.query;
        // One more than asked for tells whether there is a next page.
        const found = await services.list(limit + 1, after);
        const page = found.slice(0, limit);
        return {
          services: page.map(summaryOf),
          next: found.length > page.length ? (page.at(-1)?.name ?? null) : null,
        };
      },
    );

    app.post<{ Body: NewService }>(
      '/api/v1/services',
      {
        config: {
          permission: OPERATORS,
          summary: 'Give a program an identity; it reaches nothing until a rule names it',
        },
        schema: { body: NewService, response: { 200: CreatedService } },
      },
      async (request) => {
        const { name, owner, description } = request.body;
        await services.create(name, owner, description, actorOf(request));
        return { service: name };
      },
    );

    app.post<{ Params: ServiceParams; Body: DisableBody }>(
      '/api/v1/services/:name/disable',
      {
        config: { permission: OPERATORS, summary: 'End all tokens of a service and give it no more, or again' },
        schema: { params: ServiceParams, body: DisableBody, response: { 200: DisabledService } },
      },
      async (request) => {
        const { name } = request.params;
        const { disabled } = request.body;
        await (disabled ? services.disable(name, actorOf(request)) : services.enable(name, actorOf(request)));
        return { service: name, disabled };
      },
    );

    serveServiceTokens(app, services, hasResource);
  };
}

type Found = Awaited<ReturnType<Services['list']>>[number];

function summaryOf({
  name,
  description,
  owner,
  createdAt,
  disabledAt,
  tokens,
}: Found): ServiceList['services'][number] {
  return {
    name,
    description: description ?? null,
    owner,
    createdAt,
    disabledAt: disabledAt ?? null,
    tokens: tokens.map((token) => ({
      id: token.id,
      label: token.label ?? null,
      scope: [...token.scope],
      createdAt: token.createdAt,
      expiresAt: token.expiresAt,
      lastUsedAt: token.lastUsedAt ?? null,
      unused: token.unused,
    })),
  };
}
