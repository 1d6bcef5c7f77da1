import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { isService, type Role } from '../domain/principal.ts';
import { PosternError } from '../lib/errors.ts';
import type { Person, PersonReader } from './ports.ts';
import { refuseForeignOrigin } from './same-origin.ts';

/**
 * Who may call a route. `anyone`: no session is read, the route looks after itself. `signed-in`: any session.
 * A list: a session with at least one of these roles.
 */
export type Permission = 'anyone' | 'signed-in' | readonly Role[];

/** Those who answer for everyone: they see and end what others have open. */
export const OPERATORS: readonly Role[] = ['admin', 'security'];

/** Those who may read what happened, and by which rules. */
export const READERS: readonly Role[] = [...OPERATORS, 'auditor'];

/** How somebody asks: a browser by its cookie, a command line by its token, a program by the token of a service. */
export type Means = 'browser' | 'command_line' | 'service';

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
    /** Default: by a browser or a command line. What services may ask says so. */
    by?: readonly Means[];
    /** One line for the API's description; every route below `/api/` has one. */
    summary?: string;
  }
  interface FastifyRequest {
    /** Set on every route that is not for `anyone`; read it with `personOf`. */
    person: Person | undefined;
  }
  interface FastifyInstance {
    /** `GET /path` → what it declared. */
    permissions: ReadonlyMap<string, Permission>;
  }
}

/** Makes every route registered from now on declare its permission, and enforces it before the body is read. */
export function enforcePermissions(app: FastifyInstance, people: PersonReader, origin: string): void {
  const permissions = new Map<string, Permission>();
  app.decorate('permissions', permissions);
  app.decorateRequest('person', undefined);
  app.addHook('onRoute', (route) => {
    const permission = route.config?.permission;
    const methods = [route.method].flat();
    if (permission === undefined) {
      throw new Error(`${methods.join(',')} ${route.url} declares no permission. Say config: { permission }.`);
    }
    for (const method of methods) permissions.set(`${method} ${route.url}`, permission);
    if (permission === 'anyone') return;
    const by = route.config?.by ?? PEOPLES_MEANS;
    addOnRequest(route, async (request) => {
      refuseForeignOrigin(request, origin);
      request.person = await people.readPerson(request);
      const person = requirePermission(request.person, permission);
      requireMeans(person, by);
    });
  });
}

/** The person behind a request, on routes that are not for `anyone`. */
export function personOf(request: FastifyRequest): Person {
  if (!request.person) throw new PosternError('unauthenticated', 'Sign in to continue.');
  return request.person;
}

export function isOneOf({ roles }: Person, allowed: readonly Role[]): boolean {
  return roles.some((role) => allowed.includes(role));
}

/** For routes that ask for more only sometimes. Throws `forbidden`. */
export function requireOneOf(person: Person, allowed: readonly Role[]): void {
  if (isOneOf(person, allowed)) return;
  throw new PosternError('forbidden', `This needs one of these roles: ${allowed.join(', ')}.`);
}

function requirePermission(person: Person | undefined, permission: 'signed-in' | readonly Role[]): Person {
  if (!person) throw new PosternError('unauthenticated', 'Sign in to continue.');
  if (permission !== 'signed-in') requireOneOf(person, permission);
  return person;
}

const REFUSED_MEANS: Readonly<Record<Means, string>> = {
  browser: 'This is for a command line with its token, and not for a browser.',
  command_line: 'This is for a page of Postern in your browser, and not for a token.',
  service: 'This is for people. The token of a service is for the apps in its scope.',
};

/** Unless a route says otherwise. */
export const PEOPLES_MEANS: readonly Means[] = ['browser', 'command_line'];

function requireMeans(person: Person, by: readonly Means[]): void {
  const means = meansOf(person);
  if (by.includes(means)) return;
  throw new PosternError('forbidden', REFUSED_MEANS[means]);
}

function meansOf({ session, token }: Person): Means {
  if (isService(session.principal)) return 'service';
  return token === undefined ? 'browser' : 'command_line';
}

type OnRequest = (request: FastifyRequest) => Promise<void>;

/** After what is already there: the rate limit comes first, so that strangers cannot make the relay look up sessions without bound. */
function addOnRequest(route: RouteOptions, check: OnRequest): void {
  const before = route.onRequest === undefined ? [] : [route.onRequest].flat();
  route.onRequest = [...before, check];
}
