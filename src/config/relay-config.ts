import { dirname, resolve } from 'node:path';
import type { Static } from 'typebox';
import type { Role } from '../domain/principal.ts';
import type { Resource } from '../domain/resource.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { loadSecret, Secret } from '../lib/secret.ts';
import { RELAY_DEFAULTS } from './defaults.ts';
import { hashOf } from './difference.ts';
import { resolveSecretFile } from './file-reference.ts';
import { type Listening, readListening } from './listening.ts';
import { Problems } from './problem.ts';
import { RelayFileSchema } from './relay-schema.ts';
import { type RelayOrigin, readResources } from './resources.ts';
import { isLoopbackName, parseDurationMs, parseOrigin, parseUrl } from './values.ts';
import { loadYaml, type YamlDocument } from './yaml-document.ts';

/** postern.yaml, complete: defaults filled in, paths absolute, secrets loaded. */
export interface RelayConfig {
  readonly relay: {
    /** Origin of the relay's own host. */
    readonly origin: string;
    /** The same host, lower case, without port. */
    readonly host: string;
    readonly id: string;
    readonly contact: string | undefined;
    /** How long open accesses may go on after the relay was told to stop. */
    readonly drainMs: number;
    /** Life of the credentials of agents, renewed at half of it. */
    readonly credentialLifeMs: number;
  } & Listening;
  readonly dataDir: string;
  /** undefined: the embedded database in `dataDir`. */
  readonly databaseUrl: Secret | undefined;
  readonly provider: {
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecret: Secret;
    readonly scopes: readonly string[];
    readonly groupsClaim: string;
  };
  readonly roles: Readonly<Record<Role, RoleMembers>>;
  readonly sessions: {
    readonly idleMs: number;
    readonly absoluteMs: number;
    /** Of one person over all resources, in the long run. */
    readonly requestsPerSecond: number;
  };
  readonly policy: { readonly directory: string };
  readonly audit: { readonly commitTimeoutMs: number };
  readonly agents: readonly AgentEntry[];
  readonly resources: readonly Resource[];
  /** Hex SHA-256 of all of the above, secrets left out. */
  readonly hash: string;
}

interface RoleMembers {
  /** The provider's groups. */
  readonly groups: readonly string[];
  /** Bound e-mails, lower case. */
  readonly people: readonly string[];
}

interface AgentEntry {
  readonly name: string;
  /** Where the relay writes a fresh enrollment token while the agent is not enrolled. */
  readonly enrollmentTokenFile: string | undefined;
}

/** Throws `config_invalid` whose message has one `file:line:column: problem` per line, for all problems at once. */
export function loadRelayConfig(file: string): RelayConfig {
  const problems = new Problems();
  const document = loadYaml(file, RelayFileSchema, problems);
  const config = document && readRelay(document, dirname(resolve(file)), problems);
  problems.throwIfAny('config_invalid');
  if (!config) throw new PosternError('config_invalid', `${file} cannot be used.`);
  return { ...config, hash: hashOf(config) };
}

type Document = YamlDocument<Static<typeof RelayFileSchema>>;

function readRelay(document: Document, base: string, problems: Problems): Omit<RelayConfig, 'hash'> | undefined {
  const {
    relay,
    provider,
    roles,
    sessions,
    policy,
    audit,
    agents = {},
    dataDir = RELAY_DEFAULTS.dataDir,
  } = document.value;
  const duration = (text: string, from: string, to: string, ...path: string[]): number => {
    const [ms = Number.NaN, fromMs = 0, toMs = 0] = [text, from, to].map(parseDurationMs);
    if (!(ms >= fromMs && ms <= toMs))
      problems.add(document.place(...path), `"${path.join('.')}" must be between ${from} and ${to}`);
    return ms;
  };
  const idleMs = duration(sessions?.idle ?? RELAY_DEFAULTS['sessions.idle'], '1m', '30d', 'sessions', 'idle');
  const absoluteMs = duration(
    sessions?.absolute ?? RELAY_DEFAULTS['sessions.absolute'],
    '1m',
    '90d',
    'sessions',
    'absolute',
  );
  if (idleMs > absoluteMs)
    problems.add(document.place('sessions'), '"sessions.idle" must not be longer than "sessions.absolute"');

  const members = {
    admin: readRole(roles.admin),
    security: readRole(roles.security),
    auditor: readRole(roles.auditor),
  };
  if (members.admin.groups.length + members.admin.people.length === 0)
    problems.add(document.place('roles', 'admin'), 'nobody is an admin: name a group or a person in "roles.admin"');
  if (!parseUrl(provider.issuer))
    problems.add(document.place('provider', 'issuer'), '"provider.issuer" must be an https:// or http:// URL');

  const origin = readOrigin(document, problems);
  const listening = readListening(document, base, problems);
  const drainMs = duration(relay.drain ?? RELAY_DEFAULTS['relay.drain'], '0s', '10m', 'relay', 'drain');
  const credentialLife = relay.credentialLife ?? RELAY_DEFAULTS['relay.credentialLife'];
  const credentialLifeMs = duration(credentialLife, '1m', '1d', 'relay', 'credentialLife');
  const secret = (path: string, ...at: string[]): Secret | undefined => {
    try {
      return loadSecret(resolveSecretFile(base, path));
    } catch (error) {
      problems.add(document.place(...at), messageOf(error));
      return undefined;
    }
  };
  const clientSecret = secret(provider.clientSecretFile, 'provider', 'clientSecretFile');
  const databaseUrl = readDatabaseUrl(document, problems, secret);
  const resources = origin ? readResources(document, origin, problems) : [];
  const commitTimeoutMs = duration(
    audit?.commitTimeout ?? RELAY_DEFAULTS['audit.commitTimeout'],
    '100ms',
    '30s',
    'audit',
    'commitTimeout',
  );
  if (!listening || !origin || !clientSecret) return undefined;
  return {
    relay: {
      origin: origin.origin,
      host: origin.host,
      id: relay.id ?? RELAY_DEFAULTS['relay.id'],
      contact: relay.contact,
      ...listening,
      drainMs,
      credentialLifeMs,
    },
    dataDir: resolve(base, dataDir),
    databaseUrl,
    provider: {
      issuer: provider.issuer,
      clientId: provider.clientId,
      clientSecret,
      scopes: provider.scopes ?? RELAY_DEFAULTS['provider.scopes'],
      groupsClaim: provider.groupsClaim ?? RELAY_DEFAULTS['provider.groupsClaim'],
    },
    roles: members,
    sessions: {
      idleMs,
      absoluteMs,
      requestsPerSecond: sessions?.requestsPerSecond ?? RELAY_DEFAULTS['sessions.requestsPerSecond'],
    },
    policy: { directory: resolve(base, policy?.directory ?? RELAY_DEFAULTS['policy.directory']) },
    audit: { commitTimeoutMs },
    agents: Object.entries(agents).map(([name, { enrollmentTokenFile }]) => ({
      name,
      enrollmentTokenFile: enrollmentTokenFile === undefined ? undefined : resolve(base, enrollmentTokenFile),
    })),
    resources,
  };
}

function readRole(role: { groups?: string[]; people?: string[] } | undefined): RoleMembers {
  return { groups: role?.groups ?? [], people: (role?.people ?? []).map((email) => email.toLowerCase()) };
}

function readOrigin(document: Document, problems: Problems): RelayOrigin | undefined {
  const place = document.place('relay', 'url');
  const url = parseOrigin(document.value.relay.url);
  if (!url) {
    problems.add(place, '"relay.url" must be an origin such as https://access.example.com, without a path');
    return undefined;
  }
  if (url.protocol === 'http:' && !isLoopbackName(url.hostname)) {
    problems.add(place, '"relay.url" must be https: browsers keep Secure cookies without TLS only on *.localhost');
    return undefined;
  }
  return { origin: url.origin, host: url.hostname, scheme: url.protocol, port: url.port };
}

function readDatabaseUrl(
  document: Document,
  problems: Problems,
  secret: (path: string, ...at: string[]) => Secret | undefined,
): Secret | undefined {
  const { url, urlFile } = document.value.database ?? {};
  if (url !== undefined && urlFile !== undefined)
    problems.add(document.place('database'), 'give either "database.url" or "database.urlFile", not both');
  const found =
    urlFile === undefined ? (url === undefined ? undefined : new Secret(url)) : secret(urlFile, 'database', 'urlFile');
  if (found && !/^postgres(ql)?:\/\//.test(found.reveal()))
    problems.add(
      document.place('database', url === undefined ? 'urlFile' : 'url'),
      'the database URL must begin with postgres://',
    );
  return found;
}
