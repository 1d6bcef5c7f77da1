import { type EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { AccessIntent, AccessOutcome, AuditAppender, AuditEvent, Recorded } from '../../src/domain/audit-event.ts';
import type { Change } from '../../src/domain/change.ts';
import type { Check, Decision } from '../../src/domain/decision.ts';
import type { Resource } from '../../src/domain/resource.ts';
import type { Session } from '../../src/domain/session.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import type { LeaseOptions } from '../../src/gateway/connection/leases.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { Bounds } from '../../src/gateway/limits.ts';
import { createListener } from '../../src/gateway/listener.ts';
import type { GatewayPorts } from '../../src/gateway/ports.ts';
import { LiveTunnel } from '../../src/gateway/tunnel/live-tunnel.ts';
import { isPosternCookie, readCookie, SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import { copy } from '../../src/tunnel/copy.ts';
import { encodeAnswer, encodeHeader, receiveHeader } from '../../src/tunnel/stream-header.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { resource } from '../domain/resource.ts';
import { pipe } from '../tunnel/pair.ts';

export const HOST = 'wiki.test';

/** What must be on record before anything happens. */
const HELD: ReadonlySet<AuditEvent['kind']> = new Set(['access.intent', 'lease.opened']);

/** Keeps what is appended; can fail, or hold appends until told. */
export class RecordingAudit implements AuditAppender {
  readonly events: AuditEvent[] = [];
  failing = false;
  held: (() => void)[] | undefined;
  readonly #watchers = new Set<() => void>();

  async append(event: AuditEvent): Promise<Recorded> {
    if (this.failing) throw new PosternError('audit_unavailable', 'The log cannot be written.');
    if (this.held !== undefined && HELD.has(event.kind)) {
      const { held } = this;
      await new Promise<void>((resolve) => {
        held.push(resolve);
        this.#changed();
      });
    } else await new Promise(setImmediate);
    this.events.push(event);
    this.#changed();
    return { id: event.id, log: 'test', index: this.events.length - 1, leafHash: '00' };
  }

  get intents(): AccessIntent[] {
    return this.events.filter((event) => event.kind === 'access.intent');
  }

  get outcomes(): AccessOutcome[] {
    return this.events.filter((event) => event.kind === 'access.outcome');
  }

  /** Resolves once `found` yields something, looking at every change. */
  until<T>(found: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const value = found();
        if (value === undefined) return;
        this.#watchers.delete(look);
        resolve(value);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The outcome of the `n`th intent (0 is the first). */
  outcomeOf(n: number): Promise<AccessOutcome> {
    return this.until(() => this.outcomes.find((outcome) => outcome.intent === this.intents[n]?.id));
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

export interface TargetRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly intentsBefore: number;
}

export interface World extends AsyncDisposable {
  /** Where the agent finds the target. */
  dialPort: number;
  readonly port: number;
  readonly origin: string;
  readonly audit: RecordingAudit;
  readonly gateway: Gateway;
  readonly seen: TargetRequest[];
  readonly checks: Check[];
  readonly target: Server;
  readonly strangers: string[];
  /** Hosts for which a session cookie was read. */
  readonly cookieHosts: string[];
  /** What the hand-off was told of each redeeming. */
  readonly crossSite: boolean[];
  /** Sessions by cookie value; `alice` and `bob` exist. */
  readonly sessions: Map<string, Session>;
  readonly streams: { readonly receipt: string; readonly socket: Socket }[];
  tunnel: LiveTunnel | undefined;
  decide: (check: Check) => Partial<Decision>;
  letsInAnyone: (check: Check) => boolean;
  /** The gateway's clock; undefined: the real one. */
  now: number | undefined;
  /** By which it measures how slow somebody is; undefined: the real time. */
  elapsed: number | undefined;
  /** Whether the relay hears of changes. */
  hasAuthority: boolean;
  /** Called each time the gateway looks in the gap. */
  onLook: (() => void) | undefined;
  resource(change: Partial<Resource>): void;
  change(change: Change): void;
  newSnapshot(): void;
  /** Sends bytes and collects the answer until the server closes or `enough` says so. */
  raw(bytes: string | Buffer, enough?: (answer: string) => boolean): Promise<string>;
  get(path: string, headers?: Record<string, string | string[]>, method?: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: string[];
  readonly body: string;
}

export function sessionOf(name: string): Session {
  return {
    id: `session-${name}`,
    principal: {
      id: `principal-${name}`,
      kind: 'person',
      issuer: 'https://provider.test',
      subject: name,
      email: `${name}@example.com`,
      boundEmail: `${name}@example.com`,
      name: `${name} é`,
      groups: ['staff', 'a,b'],
    },
    factsHash: 'f0',
    signedInAt: 0,
    method: 'oidc',
    amr: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
    epoch: 1,
  };
}

/** The data plane with a real listener, a real tunnel in memory, and a real HTTP server as the target. */
export async function createWorld(
  answer: RequestListener,
  bounds: Partial<Bounds> = {},
  leases?: LeaseOptions,
): Promise<World> {
  const audit = new RecordingAudit();
  const seen: TargetRequest[] = [];
  const streams: { receipt: string; socket: Socket }[] = [];
  const strangers: string[] = [];
  const target = createServer((req, res) => {
    const { method = '', url = '', rawHeaders } = req;
    seen.push({ method, url, rawHeaders, intentsBefore: audit.intents.length });
    answer(req, res);
  });
  target.on('upgrade', (req) => {
    const { method = '', url = '', rawHeaders } = req;
    seen.push({ method, url, rawHeaders, intentsBefore: audit.intents.length });
  });
  const targetPort = await listen(target);

  const [relayEnd, agentEnd] = pipe();
  relayEnd.keepsSent = false;
  agentEnd.keepsSent = false;
  const log = createLog('silent');
  const refuse = () => Promise.reject(new Error('not in these tests'));
  const credentials = { verify: refuse, renew: refuse, isRevoked: () => false, isDrained: () => false };
  const announcements = { judgeAnnouncement: () => [], refusedAnnouncement: () => {} };
  const tunnel = new LiveTunnel(
    'tunnel-1',
    { agent: 'office', keyThumbprint: 'thumb', expiresAt: Date.now() + 600_000, jti: 'j', scope: [] },
    relayEnd,
    { heartbeatMs: 60_000, credentials, ...announcements, log, clock: Date.now },
  );
  const agent = new Tunnel(agentEnd, {
    side: 'dialler',
    heartbeatMs: 60_000,
    accept: (stream) => {
      void receiveHeader(stream, 5_000).then((header) => {
        const socket = connect(world.dialPort);
        streams.push({ receipt: header.kind === 'resource' ? (header.receipt ?? '') : '', socket });
        socket.once('connect', () => {
          stream.write(encodeAnswer({ ok: true }));
          copy(stream, socket);
        });
        socket.once('error', () => {
          stream.resume();
          stream.write(encodeAnswer({ ok: false, code: 'dial_refused' }));
          setImmediate(() => stream.end());
        });
      });
      return true;
    },
  });

  // A tunnel whose agent says nothing is closed after a while.
  const control = agent.open();
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  control.resume();

  const sessions = new Map([
    ['alice', sessionOf('alice')],
    ['bob', sessionOf('bob')],
  ]);
  let wiki = resource('wiki', {
    title: 'Wiki',
    host: HOST,
    identityHeaders: { 'remote-user': 'email', 'x-name': 'name', 'x-groups': 'groups' },
    recordedQuery: ['q'],
  });
  const checks: Check[] = [];
  const makeSnapshot = (version: number): Snapshot => ({
    version,
    policy: {
      version: `policy-${version}`,
      decide(check) {
        const isStranger = check.principal.kind === 'anonymous';
        if (!isStranger) checks.push(check);
        return {
          effect: isStranger && !world.letsInAnyone(check) ? 'deny' : 'allow',
          rule: 'rule-17',
          reasons: ['rule_allowed'],
          message: undefined,
          policyVersion: `policy-${version}`,
          ...(isStranger ? {} : world.decide(check)),
        };
      },
      mayReach: () => true,
      leasesOnly: () => false,
    },
    resourceByName: new Map([[wiki.name, wiki]]),
    resourceByHost: new Map(wiki.hosts.map((host) => [host, wiki])),
  });
  let snapshot: Snapshot | undefined;

  const ports: GatewayPorts = {
    relay: { id: 'relay-1', origin: 'http://relay.test', contact: 'it@example.com' },
    snapshot: () => (snapshot ??= makeSnapshot(1)),
    sessions: {
      readCookie: (cookie, host) => {
        world.cookieHosts.push(host);
        return Promise.resolve(sessions.get(cookie));
      },
      readToken: (token) => Promise.resolve(sessions.get(token.slice(4))),
      readPresented: ({ hash }) => Promise.resolve(sessions.get(hash)),
      isCurrent(session) {
        world.onLook?.();
        return [...sessions.values()].some((one) => one.id === session.id && one.epoch === session.epoch);
      },
      hasAuthority: () => world.hasAuthority,
    },
    handOff: {
      begin: (host, returnPath) =>
        Promise.resolve({ location: `http://relay.test/hand-off?host=${host}&to=${returnPath}`, setCookies: ['f=1'] }),
      redeem: (_host, query, _cookies, crossSite) => {
        world.crossSite.push(crossSite);
        return Promise.resolve(
          query.get('code') === 'good' ? { location: '/back', setCookies: ['s=1', 'f='] } : undefined,
        );
      },
      isPosternCookie,
      sessionCookie: (header) => readCookie(header, SESSION_COOKIE),
    },
    audit,
    tunnels: { pick: () => world.tunnel, findNetwork: () => undefined },
    assertions: { issue: (identity) => Promise.resolve(`assertion-of-${identity.session.principal.subject}`) },
    receipts: { issue: (receipt) => Promise.resolve(`${receipt.session.id} ${receipt.intent} ${receipt.stream}`) },
    strangers: { refused: (reason) => strangers.push(reason) },
  };
  const clock = () => world.now ?? Date.now();
  const elapsed = () => world.elapsed ?? performance.now();
  const gateway = createGateway(ports, { queryKey: Buffer.alloc(32, 7), bounds, clock, elapsed, leases });
  const listener = createListener({
    relayHost: 'relay.test',
    control: (_req, res) => res.end('control'),
    tunnelUpgrade: (_req, socket) => socket.end('tunnel'),
    gateway,
  });
  const port = await listen(listener);

  const world: World = {
    port,
    origin: `http://${HOST}`,
    audit,
    gateway,
    seen,
    checks,
    target,
    strangers,
    cookieHosts: [],
    crossSite: [],
    sessions,
    streams,
    tunnel,
    dialPort: targetPort,
    decide: () => ({}),
    letsInAnyone: () => false,
    now: undefined,
    elapsed: undefined,
    hasAuthority: true,
    onLook: undefined,
    resource(change) {
      wiki = { ...wiki, ...change };
      snapshot = makeSnapshot((snapshot?.version ?? 0) + 1);
    },
    newSnapshot() {
      snapshot = makeSnapshot((snapshot?.version ?? 0) + 1);
    },
    change: (change) => gateway.onChange(change),
    raw: (bytes, enough) => exchangeRaw(port, bytes, enough),
    get: (path, headers = {}, method = 'GET') => fetchFrom(port, path, headers, method),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      tunnel.end('relay_stopping', 'The test is over.');
      listener.closeAllConnections();
      target.closeAllConnections();
      await Promise.all([closed(listener), closed(target)]);
    },
  };
  return world;
}

/** A cookie header of a signed-in browser. */
export const asAlice = { Cookie: `${SESSION_COOKIE}=alice` };
export const asBob = { Cookie: `${SESSION_COOKIE}=bob` };

/** Resolves when it is closed, in whatever way. */
export function closing(one: EventEmitter | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (one === undefined) throw new Error('There is nothing to close.');
    one.on('error', () => undefined);
    one.once('close', () => resolve());
  });
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function fetchFrom(
  port: number,
  path: string,
  headers: Record<string, string | string[]>,
  method: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, method, agent: false, headers: { Host: HOST, ...headers } }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (text: string) => {
        body += text;
      });
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, rawHeaders: res.rawHeaders, body }),
      );
      res.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

function exchangeRaw(port: number, bytes: string | Buffer, enough?: (answer: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (enough?.(answer)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(answer));
  });
}
