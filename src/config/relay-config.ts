import { dirname, resolve } from 'node:path';
import type { Role, RoleMembers } from '../domain/principal.ts';
import type { Resource } from '../domain/resource.ts';
import { PosternError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { RELAY_DEFAULTS } from './defaults.ts';
import { hashOf } from './difference.ts';
import { type LeaseConfig, readLeases } from './leases.ts';
import { type Listening, readListening } from './listening.ts';
import { Problems } from './problem.ts';
import { RelayFileSchema } from './relay-schema.ts';
import {
  type Reading,
  readDatabaseUrl,
  readDuration,
  readOrigin,
  readRoles,
  readSecret,
  readSessions,
} from './relay-sections.ts';
import { readResources } from './resources.ts';
import { parseUrl } from './values.ts';
import { loadYaml } from './yaml-document.ts';

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
  /** undefined: no ports are leased. */
  readonly leases: LeaseConfig | undefined;
  readonly policy: { readonly directory: string };
  readonly audit: { readonly commitTimeoutMs: number };
  readonly agents: readonly AgentEntry[];
  readonly resources: readonly Resource[];
  /** Hex SHA-256 of all of the above, secrets left out. */
  readonly hash: string;
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
  const config = document && readRelay({ document, base: dirname(resolve(file)), problems });
  problems.throwIfAny('config_invalid');
  if (!config) throw new PosternError('config_invalid', `${file} cannot be used.`);
  return { ...config, hash: hashOf(config) };
}

function readRelay(reading: Reading): Omit<RelayConfig, 'hash'> | undefined {
  const { document, base, problems } = reading;
  const { relay, provider, policy, agents = {}, dataDir = RELAY_DEFAULTS.dataDir } = document.value;
  const { drain = RELAY_DEFAULTS['relay.drain'], credentialLife = RELAY_DEFAULTS['relay.credentialLife'] } = relay;
  const { commitTimeout = RELAY_DEFAULTS['audit.commitTimeout'] } = document.value.audit ?? {};
  const origin = readOrigin(reading);
  const listening = readListening(document, base, problems);
  const drainMs = readDuration(reading, drain, ['0s', '10m'], 'relay', 'drain');
  const credentialLifeMs = readDuration(reading, credentialLife, ['1m', '1d'], 'relay', 'credentialLife');
  const commitTimeoutMs = readDuration(reading, commitTimeout, ['100ms', '30s'], 'audit', 'commitTimeout');
  const databaseUrl = readDatabaseUrl(reading);
  const clientSecret = readSecret(reading, provider.clientSecretFile, 'provider', 'clientSecretFile');
  if (!parseUrl(provider.issuer))
    problems.add(document.place('provider', 'issuer'), '"provider.issuer" must be an https:// or http:// URL');
  const roles = readRoles(reading);
  const sessions = readSessions(reading);
  const leases = readLeases(reading, listening, origin);
  const resources = origin ? readResources(document, origin, problems) : [];
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
    roles,
    sessions,
    leases,
    policy: { directory: resolve(base, policy?.directory ?? RELAY_DEFAULTS['policy.directory']) },
    audit: { commitTimeoutMs },
    agents: Object.entries(agents).map(([name, { enrollmentTokenFile }]) => ({
      name,
      enrollmentTokenFile: enrollmentTokenFile === undefined ? undefined : resolve(base, enrollmentTokenFile),
    })),
    resources,
  };
}
