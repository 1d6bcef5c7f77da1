import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { agentRoutes } from '../../src/control/agents/routes.ts';
import { createControl } from '../../src/control/app.ts';
import { cliRoutes } from '../../src/control/cli/routes.ts';
import { createPersonReader } from '../../src/control/sign-in/person-reader.ts';
import { signInRoutes } from '../../src/control/sign-in/routes.ts';
import { sessionRoutes } from '../../src/control/sign-in/session-routes.ts';
import type { AuditEvent } from '../../src/domain/audit-event.ts';
import { type IdentityParts, openIdentity } from '../../src/identity/open.ts';
import { rolesOf } from '../../src/identity/roles.ts';
import { sha256Hex } from '../../src/lib/bytes.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { createAgentStore } from '../../src/store/identity/agents.ts';
import { createCodeStore } from '../../src/store/identity/codes.ts';
import { createDeviceCodeStore } from '../../src/store/identity/device-codes.ts';
import { createExpiryStore } from '../../src/store/identity/expiry.ts';
import { createPrincipalStore } from '../../src/store/identity/principals.ts';
import { createServiceStore } from '../../src/store/identity/services.ts';
import { createSessionStore } from '../../src/store/identity/sessions.ts';
import { createSigningKeyStore } from '../../src/store/identity/signing-keys.ts';
import type { Store } from '../../src/store/open.ts';
import { temporaryDirectory } from '../store/databases.ts';

export interface TestRelay extends AsyncDisposable {
  readonly origin: string;
  readonly dataDir: string;
  readonly identity: IdentityParts;
  readonly events: AuditEvent[];
  readonly facts: Map<string, Readonly<Record<string, unknown>>>;
  /** `http://<name>.postern.localhost:<port>`. */
  appOrigin(name: string): string;
  /** Moves the relay's clock. */
  skewMs: number;
  /** While set, the audit log takes nothing. */
  auditDown: boolean;
}

export const CLIENT_SECRET = 'a-secret-of-this-test';
const APPS = ['wiki', 'metrics'];
export const AGENTS = ['office', 'lab', 'shed'];

/**
 * The relay's own host with real sign-in over a real database, and two apps whose hosts do what the gateway does about
 * identity: show who is there, or hand off. `provider` gets the relay's origin and returns its issuer.
 */
export async function startRelay(
  store: Store,
  provider: (relayOrigin: string) => Promise<string>,
  limits = { idleMs: 3_600_000, absoluteMs: 24 * 3_600_000 },
): Promise<TestRelay> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory());
  let handle = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(503).end();
  };
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://postern.localhost:${port}`;
  const appOrigin = (name: string): string => `http://${name}.postern.localhost:${port}`;
  const state = {
    events: [] as AuditEvent[],
    facts: new Map<string, Readonly<Record<string, unknown>>>(),
    skewMs: 0,
    auditDown: false,
  };
  const clock = () => Date.now() + state.skewMs;
  const log = createLog('silent');
  const audit = {
    append: async (event: AuditEvent) => {
      if (state.auditDown) throw new PosternError('audit_unavailable', 'The audit log cannot be written.');
      state.events.push(event);
      return { id: event.id, log: 'test', index: state.events.length - 1, leafHash: '' };
    },
  };

  const identity = await openIdentity(
    {
      relayOrigin: origin,
      relayId: 'relay-1',
      dataDir: directory.path,
      provider: {
        issuer: await provider(origin),
        clientId: 'postern',
        clientSecret: new Secret(CLIENT_SECRET),
        scopes: ['openid', 'email', 'profile', 'groups'],
        groupsClaim: 'groups',
      },
      limits,
      isConfiguredAgent: (name) => AGENTS.includes(name),
    },
    {
      principals: createPrincipalStore(store),
      sessions: createSessionStore(store),
      services: createServiceStore(store),
      codes: createCodeStore(store),
      deviceCodes: createDeviceCodeStore(store),
      agents: createAgentStore(store),
      signingKeys: createSigningKeyStore(store),
      expiry: createExpiryStore(store),
    },
    {
      audit,
      recordFacts: async (body) => {
        const hash = sha256Hex(JSON.stringify(body));
        state.facts.set(hash, body);
        return hash;
      },
      strangers: { refused: () => undefined },
      clock,
      log,
    },
  );
  const following = new AbortController();
  undo.defer(() => following.abort());
  await store.changes.follow((change) => identity.onChange(change), { signal: following.signal });

  const people = createPersonReader({
    sessions: identity.sessions,
    relayHost: 'postern.localhost',
    relayOrigin: origin,
    roles: (principal) => rolesOf({ admin: { groups: ['security'], people: [] } }, principal),
  });
  const findResource = (host: string) => {
    const name = APPS.find((app) => host === `${app}.postern.localhost`);
    return name === undefined ? undefined : { host, origin: appOrigin(name) };
  };
  const control = await createControl({
    origin,
    contact: undefined,
    consoleDirectory: directory.path,
    log,
    clock,
    people,
    snapshot: () => ({
      version: 1,
      resourceByName: new Map(),
      resourceByHost: new Map(),
      policy: { version: '', decide: () => unused(), mayReach: () => false, leasesOnly: () => false },
    }),
    audit,
    auditLog: { search: () => unused(), find: () => unused(), checkpoint: () => unused() },
    policy: { current: () => unused() },
    configuration: { relay: 'relay-1', hash: '', loadedAt: 0, effective: {} },
    live: { list: () => [], terminate: () => false },
    plugins: [
      signInRoutes({ ...identity, people, relayOrigin: origin, findResource }),
      sessionRoutes(identity),
      agentRoutes({ ...identity, configuredAgents: () => AGENTS, tunnels: () => [], clock }),
      cliRoutes({
        ...identity,
        audienceOf: (text) => (APPS.some((name) => appOrigin(name) === text) ? text : undefined),
      }),
    ],
  });
  undo.defer(() => control.close());

  handle = (request, response) => {
    const host = request.headers.host?.split(':')[0] ?? '';
    if (host === 'postern.localhost') return control.routing(request, response);
    answerApp(identity, host, appOriginOf(request), request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  };
  const held = undo.move();
  return Object.assign(state, {
    dataDir: directory.path,
    origin,
    identity,
    appOrigin,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  });
}

function appOriginOf(request: IncomingMessage): string {
  return `http://${request.headers.host ?? ''}`;
}

async function answerApp(
  { handOffs, sessions }: IdentityParts,
  host: string,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', origin);
  const { cookie } = request.headers;
  if (url.pathname === '/.postern/redeem') {
    const redirect = await handOffs.redeem(host, url.searchParams, cookie);
    if (!redirect) {
      response.writeHead(403).end('This sign-in link is not yours.');
      return;
    }
    response.writeHead(303, { location: redirect.location, 'set-cookie': redirect.setCookies }).end();
    return;
  }
  const own = handOffs.sessionCookie(cookie);
  const token = request.headers['postern-token'];
  const session =
    typeof token === 'string'
      ? await sessions.readToken(token, origin)
      : own === undefined
        ? undefined
        : await sessions.readCookie(own, host);
  if (session) {
    response.writeHead(200).end(`hello ${session.principal.email ?? session.principal.subject} at ${request.url}`);
    return;
  }
  const redirect = await handOffs.begin(host, request.url ?? '/', cookie);
  response.writeHead(302, { location: redirect.location, 'set-cookie': redirect.setCookies }).end();
}

function unused(): never {
  throw new Error('not used here');
}
