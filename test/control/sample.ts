import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { createControl } from '../../src/control/app.ts';
import type { AuditLogEntry, ControlDeps, Person } from '../../src/control/ports.ts';
import type { AuditEvent, Recorded } from '../../src/domain/audit-event.ts';
import type { Role } from '../../src/domain/principal.ts';
import { DEFAULT_SETTINGS, type Resource } from '../../src/domain/resource.ts';
import { sha256Hex } from '../../src/lib/bytes.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { createLog } from '../../src/lib/log.ts';

/** The real app of the relay's own host over ports in memory: people by the cookie `sample`, a log in an array. */

export const SAMPLE_NOW = Date.UTC(2026, 10, 20, 9, 41, 7);

export function person(name: string, roles: readonly Role[], groups: readonly string[] = ['employees']): Person {
  const email = `${name}@example.com`;
  return {
    roles,
    session: {
      id: `session-of-${name}`,
      factsHash: sha256Hex(name),
      signedInAt: SAMPLE_NOW - 3_600_000,
      expiresAt: SAMPLE_NOW + 23 * 3_600_000,
      method: 'oidc',
      amr: ['pwd'],
      epoch: 1,
      principal: {
        id: `principal-of-${name}`,
        kind: 'person',
        issuer: 'http://localhost:8081',
        subject: name,
        email,
        boundEmail: email,
        name: `${name[0]?.toUpperCase()}${name.slice(1)}`,
        groups,
      },
    },
  };
}

export const PEOPLE: Readonly<Record<string, Person>> = {
  alice: person('alice', [], ['employees', 'engineering']),
  eve: person('eve', [], []),
  sam: person('sam', ['admin', 'security'], ['employees', 'security']),
  audrey: person('audrey', ['auditor'], ['employees', 'audit']),
  olga: person('olga', ['security']),
  root: person('root', ['admin']),
};

export function resource(name: string, title: string, description: string, tags: readonly string[] = []): Resource {
  return {
    name,
    protocol: 'http',
    title,
    description,
    host: `${name}.postern.localhost`,
    hosts: [`${name}.postern.localhost`],
    origin: `http://${name}.postern.localhost:8080`,
    origins: [`http://${name}.postern.localhost:8080`],
    tags,
    owner: undefined,
    agents: ['office'],
    paths: 'strict',
    websocket: false,
    corsOrigins: [],
    identityHeaders: {},
    recordedQuery: [],
    ...DEFAULT_SETTINGS,
  };
}

const RESOURCES: readonly Resource[] = [
  resource('wiki', 'Wiki', 'What the company knows: handbooks, decisions, how things are done.', ['internal']),
  resource('metrics', 'Metrics', 'Dashboards of every service, with the alerts of the last week.', ['engineering']),
  resource('echo', 'Echo', 'Shows the identity that a private app receives.', ['demo', 'websocket']),
  resource('payroll', 'Payroll', 'Salaries and holidays.', ['people']),
  resource('builds', 'Builds', 'Continuous integration: pipelines, logs and artifacts.', ['engineering']),
  resource('notebooks', 'Notebooks', 'Jupyter for the data team.'),
];

export interface Sample {
  readonly app: FastifyInstance;
  readonly appended: AuditEvent[];
  readonly entries: AuditLogEntry[];
  /** What the audit log does on an append; replaced to make it fail. */
  failAppend: boolean;
  /** Order of what happened to the log. */
  readonly steps: string[];
}

export async function createSample(
  entries: AuditLogEntry[] = [],
  more: Partial<Omit<ControlDeps, 'origin'>> & { readonly origin?: string } = {},
): Promise<Sample> {
  const state = { appended: [] as AuditEvent[], entries, failAppend: false, steps: [] as string[] };
  const app = await createControl({
    origin: 'http://postern.localhost:8080',
    contact: 'it@example.com',
    consoleDirectory: fileURLToPath(new URL('../../web/dist', import.meta.url)),
    log: createLog('silent'),
    clock: () => SAMPLE_NOW,
    people: {
      readPerson: async (request) => PEOPLE[request.cookies['sample'] ?? ''],
    },
    snapshot: () => ({
      version: 1,
      resourceByName: new Map(RESOURCES.map((one) => [one.name, one])),
      resourceByHost: new Map(RESOURCES.map((one) => [one.host, one])),
      policy: {
        version: 'v1',
        decide: () => {
          throw new Error('the control plane decides nothing');
        },
        leasesOnly: () => false,
        mayReach: (principal, { name }) =>
          name !== 'payroll' && principal.groups.includes(name === 'metrics' ? 'engineering' : 'employees'),
      },
    }),
    audit: {
      append: async (event) => {
        state.steps.push(`append ${event.kind}`);
        if (state.failAppend) throw new PosternError('audit_unavailable', 'insert into audit_record: disk full');
        state.appended.push(event);
        return recorded(event.id, state.appended.length);
      },
    },
    auditLog: {
      search: async ({ query, before, limit }) => {
        state.steps.push('search');
        if (query.includes('nonsense:')) throw new PosternError('request_invalid', 'There is no field "nonsense".');
        const words = query.split(' ').filter((word) => word !== '');
        const older = state.entries.filter(({ event }) => before === undefined || event.id < before);
        // Like the real one, it looks at so many records and no more: a page may be empty and yet not the last.
        const looked = older.slice(0, words.includes('sparse') ? 100 : older.length);
        const matching = looked.filter(({ event }) =>
          words.every((word) => word === 'sparse' || JSON.stringify(event).includes(word.split(':').at(-1) ?? '')),
        );
        const page = matching.slice(0, limit);
        const rest = matching.length > limit ? page.at(-1) : looked.length < older.length ? looked.at(-1) : undefined;
        return { entries: page, next: rest?.event.id };
      },
      find: async (id) => {
        state.steps.push('find');
        return state.entries.find(({ event }) => event.id === id);
      },
      checkpoint: async () => ({
        checkpoint: 'postern.test/audit/relay-1\n0\n\n',
        key: 'postern.test/audit/relay-1+00000000+',
      }),
    },
    policy: {
      current: () => ({
        version: 'v1',
        loadedAt: SAMPLE_NOW,
        ruleSet: { rules: [], groups: [] },
        warnings: [],
        refusal: undefined,
      }),
    },
    configuration: { relay: 'relay-1', hash: sha256Hex('configuration'), loadedAt: SAMPLE_NOW, effective: {} },
    live: { list: () => [], terminate: () => false },
    plugins: [],
    ...more,
  });
  return Object.assign(state, { app });
}

export function recorded(id: string, index: number): Recorded {
  return { id, log: 'relay-1', index, leafHash: sha256Hex(`leaf ${index}`) };
}

/** The n-th access before SAMPLE_NOW, with an outcome unless denied. */
export function access(n: number, given: { path?: string; userAgent?: string; name?: string } = {}): AuditLogEntry {
  const at = SAMPLE_NOW - n * 47_000;
  const id = sortableIdAt(at, n);
  const name = given.name ?? ['alice', 'sam', 'bob', 'eve'][n % 4] ?? 'alice';
  const effect = n % 5 === 3 ? 'deny' : 'allow';
  const target = RESOURCES[n % RESOURCES.length]?.name ?? 'wiki';
  const running = n % 11 === 4;
  const path = given.path ?? ['/', '/docs/onboarding', '/api/query_range', '/static/app.8f31c.js', '/spaces/42'][n % 5];
  return {
    event: {
      kind: 'access.intent',
      id,
      at,
      principal: `0192f3a4-${name}`,
      session: `0192f3a4-session-${name}`,
      facts: sha256Hex(name),
      access: n % 7 === 2 ? 'websocket' : 'http',
      via: 'cookie',
      resource: target,
      method: n % 6 === 1 ? 'POST' : 'GET',
      host: `${target}.postern.localhost`,
      effect,
      ...(effect === 'allow' ? { rule: `employees-use-${target}` } : {}),
      reasons: [effect === 'allow' ? 'rule_allowed' : 'no_rule_matched'],
      policyVersion: sha256Hex('policy'),
      ...(effect === 'allow' ? { agent: 'office', tunnel: 't-81f2', stream: 's-19', ordinal: 2 } : {}),
      personal: {
        issuer: 'http://localhost:8081',
        subject: name,
        email: `${name}@example.com`,
        name: `${name[0]?.toUpperCase()}${name.slice(1)}`,
        groups: ['employees', 'engineering'],
        address: '10.20.7.31',
        userAgent:
          given.userAgent ?? 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
        ...(path === undefined ? {} : { path }),
        ...(n % 5 === 2 ? { query: 'start=~a81f&step=15s' } : {}),
      },
    },
    recorded: recorded(id, 4200 - n),
    outcome:
      effect === 'deny' || running
        ? undefined
        : {
            kind: 'access.outcome',
            id: sortableIdAt(at + 12, n),
            at: at + 12,
            intent: id,
            resource: target,
            end: n % 13 === 6 ? 'client_closed' : 'completed',
            ...(n % 13 === 6 ? {} : { status: [200, 200, 304, 200, 404][n % 5] ?? 200 }),
            bytesUp: 310,
            bytesDown: 48_211 * (n + 1),
            durationMs: [3.4, 12.1, 187, 1240, 92_000][n % 5] ?? 1,
          },
    facts: {
      claims: { groups: ['employees', 'engineering'], email_verified: true },
      method: 'oidc',
      amr: ['pwd', 'otp'],
    },
  };
}

/** Like the real ids: sorts by time. */
function sortableIdAt(at: number, n: number): string {
  return `${at
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-${String(n).padStart(12, '0')}`;
}

export function sampleLog(size: number): AuditLogEntry[] {
  const entries: AuditLogEntry[] = Array.from({ length: size }, (_, n) => access(n));
  const other = (n: number, event: Record<string, unknown>): AuditLogEntry => {
    const at = SAMPLE_NOW - n * 47_000 - 20_000;
    const id = sortableIdAt(at, 90_000 + n);
    const whole = { id, at, ...event } as unknown as AuditLogEntry['event'];
    return { event: whole, recorded: recorded(id, 9000 + n), outcome: undefined, facts: undefined };
  };
  entries.push(
    other(2, {
      kind: 'sign_in.completed',
      method: 'oidc',
      amr: ['pwd'],
      personal: { email: 'alice@example.com', subject: 'alice' },
    }),
    other(5, {
      kind: 'policy.loaded',
      hash: sha256Hex('p'),
      difference: ['+ rule engineers-use-metrics', '~ rule employees-read-the-wiki'],
    }),
    other(7, { kind: 'strangers.refused', reason: 'unknown_host', count: 38, since: SAMPLE_NOW - 60_000 }),
    other(9, { kind: 'agent.connected', agent: 'office', tunnel: 't-81f2' }),
    other(11, {
      kind: 'policy.refused',
      hash: sha256Hex('q'),
      difference: ['policies/wiki.yaml:4:9 unknown key "whom", did you mean "who"?'],
    }),
    other(14, {
      kind: 'log.read',
      query: 'effect:deny',
      results: 17,
      personal: { email: 'audrey@example.com', subject: 'audrey' },
    }),
  );
  return entries.sort((a, b) => (a.event.id < b.event.id ? 1 : -1));
}
