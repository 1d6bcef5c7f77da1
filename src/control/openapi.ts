import type { FastifyInstance, RouteOptions } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { SESSION_COOKIE } from '../identity/sign-in/cookies.ts';
import { PosternError } from '../lib/errors.ts';
import { type Means, PEOPLES_MEANS, type Permission } from './permission.ts';
import { PROBLEM_CODES } from './problem.ts';

/** The API described in OpenAPI 3.1 by the very schemas that check it. docs/reference/openapi.json is this document. */
export function serveOpenApi(app: FastifyInstance): void {
  const paths: Paths = {};
  let document: object | undefined;
  app.addHook('onRoute', (route) => describe(paths, route));
  app.get(
    '/api/v1/openapi.json',
    {
      config: { permission: 'signed-in', summary: 'This description' },
      schema: { response: { 200: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true })) } },
    },
    (_request, reply) => {
      document ??= documentOf(paths);
      return reply.send(document);
    },
  );
}

type Paths = Record<string, Record<string, Operation>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly 'x-postern-permission': Permission;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

/** Answers of every route that is not for anyone, besides those of its own. */
const REFUSALS = {
  '400': 'It does not match its schema.',
  '401': 'No session, or one that has ended.',
  '403': 'Not with these roles, or not from this origin.',
  '404': 'There is no such thing.',
  '429': 'Too many requests; `Retry-After` says when to come again.',
  '503': 'The database or the audit log does not answer.',
} as const;

/** A session's own cookie (only from the console's origin), or a token of the command line. */
const SECURITY: Readonly<Record<Means, readonly object[]>> = {
  browser: [{ session: [] }],
  command_line: [{ token: [] }, { bearer: [] }],
  service: [],
};

function describe(paths: Paths, { method, url, schema = {}, config }: RouteOptions): void {
  if (!url.startsWith('/api/')) return;
  const permission = config?.permission;
  const summary = config?.summary;
  for (const verb of [method].flat()) {
    if (verb === 'HEAD') continue;
    const { params, querystring, body, response } = schema as RouteSchemas;
    const answer = response?.[200];
    if (permission === undefined || summary === undefined || answer === undefined) {
      throw new PosternError(
        'config_invalid',
        `${verb} ${url} lacks a permission, a summary or the schema of its answer.`,
      );
    }
    const path = url.replace(/:(\w+)/g, '{$1}');
    const parameters = [...parametersOf('path', params), ...parametersOf('query', querystring)];
    paths[path] = {
      ...paths[path],
      [verb.toLowerCase()]: {
        operationId: operationId(verb, url),
        summary,
        tags: [url.split('/')[3]?.replace('.json', '') ?? 'api'],
        security: permission === 'anyone' ? [] : (config?.by ?? PEOPLES_MEANS).flatMap((means) => SECURITY[means]),
        'x-postern-permission': permission,
        ...(parameters.length === 0 ? {} : { parameters }),
        ...(body === undefined
          ? {}
          : {
              requestBody: { required: requiredOf(body).length > 0, content: { 'application/json': { schema: body } } },
            }),
        responses: {
          '200': { description: 'Done.', content: { 'application/json': { schema: answer } } },
          ...Object.fromEntries(
            Object.keys(REFUSALS)
              .filter((status) => permission !== 'anyone' || status !== '401')
              .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
          ),
        },
      },
    };
  }
}

interface RouteSchemas {
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response?: Readonly<Record<number, TSchema>>;
}

/** GET /api/v1/agents/:name/tokens → getAgentsTokensByName */
function operationId(verb: string, url: string): string {
  const parts = url.replace('.json', '').split('/').slice(3);
  const words = parts.filter((part) => !part.startsWith(':')).flatMap((part) => part.split('-'));
  const by = parts.filter((part) => part.startsWith(':')).map((part) => `By${capital(part.slice(1))}`);
  return verb.toLowerCase() + [...words.map(capital), ...by].join('');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function parametersOf(place: 'path' | 'query', schema: TSchema | undefined): object[] {
  if (schema === undefined || !('properties' in schema)) return [];
  const required = requiredOf(schema);
  return Object.entries(schema.properties as Readonly<Record<string, TSchema>>).map(([name, each]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: each,
  }));
}

function requiredOf(schema: TSchema): readonly string[] {
  return 'required' in schema ? (schema.required as readonly string[]) : [];
}

function documentOf(paths: Paths): object {
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    openapi: '3.1.1',
    info: {
      title: 'Postern',
      version: '1',
      description:
        "The API of a relay's own host. Times are epoch milliseconds. What changes state needs `Content-Type: application/json`; with a session cookie also the relay's own `Origin` and `Sec-Fetch-Site: same-origin`. Lists give `next`, the cursor of their next page, or null. Refusals are problem details (RFC 9457).",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
        token: { type: 'apiKey', in: 'header', name: 'Postern-Token' },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same token, which begins with `pst_`.' },
      },
      responses: Object.fromEntries(
        Object.entries(REFUSALS).map(([status, description]) => [status, { description, content: problem }]),
      ),
      schemas: { Problem },
    },
  };
}

const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  /** For people. */
  detail: Type.String(),
  code: Type.Enum([...PROBLEM_CODES]),
  reference: Type.String({ description: "Finds this failure in the relay's own log." }),
  signIn: Type.Optional(Type.String({ description: 'Where signing in would help.' })),
  now: Type.Optional(Type.Integer({ description: "The relay's clock, where a credential was refused." })),
});
