import type { Static } from 'typebox';
import type { Role, RoleMembers } from '../domain/principal.ts';
import { messageOf } from '../lib/errors.ts';
import { loadSecret, Secret } from '../lib/secret.ts';
import { RELAY_DEFAULTS } from './defaults.ts';
import { resolveSecretFile } from './file-reference.ts';
import type { Problems } from './problem.ts';
import type { RelayConfig } from './relay-config.ts';
import type { RelayFileSchema } from './relay-schema.ts';
import type { RelayOrigin } from './resources.ts';
import { isLoopbackName, parseDurationMs, parseOrigin } from './values.ts';
import type { YamlDocument } from './yaml-document.ts';

/** postern.yaml as it is read: what is wrong goes to `problems`, with its place. */
export interface Reading {
  readonly document: YamlDocument<Static<typeof RelayFileSchema>>;
  /** What relative paths are relative to. */
  readonly base: string;
  readonly problems: Problems;
}

export function readOrigin({ document, problems }: Reading): RelayOrigin | undefined {
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

export function readSessions(reading: Reading): RelayConfig['sessions'] {
  const { document, problems } = reading;
  const {
    idle = RELAY_DEFAULTS['sessions.idle'],
    absolute = RELAY_DEFAULTS['sessions.absolute'],
    requestsPerSecond = RELAY_DEFAULTS['sessions.requestsPerSecond'],
  } = document.value.sessions ?? {};
  const idleMs = readDuration(reading, idle, ['1m', '30d'], 'sessions', 'idle');
  const absoluteMs = readDuration(reading, absolute, ['1m', '90d'], 'sessions', 'absolute');
  if (idleMs > absoluteMs)
    problems.add(document.place('sessions'), '"sessions.idle" must not be longer than "sessions.absolute"');
  return { idleMs, absoluteMs, requestsPerSecond };
}

export function readRoles({ document, problems }: Reading): Readonly<Record<Role, RoleMembers>> {
  const { roles } = document.value;
  const admin = membersOf(roles.admin);
  if (admin.groups.length + admin.people.length === 0)
    problems.add(document.place('roles', 'admin'), 'nobody is an admin: name a group or a person in "roles.admin"');
  return { admin, security: membersOf(roles.security), auditor: membersOf(roles.auditor) };
}

function membersOf(role: { groups?: string[]; people?: string[] } | undefined): RoleMembers {
  return { groups: role?.groups ?? [], people: (role?.people ?? []).map((email) => email.toLowerCase()) };
}

export function readDatabaseUrl(reading: Reading): Secret | undefined {
  const { document, problems } = reading;
  const { url, urlFile } = document.value.database ?? {};
  if (url !== undefined && urlFile !== undefined)
    problems.add(document.place('database'), 'give either "database.url" or "database.urlFile", not both');
  const written = url === undefined ? undefined : new Secret(url);
  const found = urlFile === undefined ? written : readSecret(reading, urlFile, 'database', 'urlFile');
  if (found && !/^postgres(ql)?:\/\//.test(found.reveal()))
    problems.add(
      document.place('database', url === undefined ? 'urlFile' : 'url'),
      'the database URL must begin with postgres://',
    );
  return found;
}

export function readSecret({ document, base, problems }: Reading, file: string, ...at: string[]): Secret | undefined {
  try {
    return loadSecret(resolveSecretFile(base, file));
  } catch (error) {
    problems.add(document.place(...at), messageOf(error));
    return undefined;
  }
}

/** Milliseconds; the bounds are written as in the file, and belong to it. */
export function readDuration(
  { document, problems }: Reading,
  text: string,
  [from, to]: readonly [string, string],
  ...path: string[]
): number {
  const [ms = Number.NaN, fromMs = 0, toMs = 0] = [text, from, to].map(parseDurationMs);
  if (!(ms >= fromMs && ms <= toMs))
    problems.add(document.place(...path), `"${path.join('.')}" must be between ${from} and ${to}`);
  return ms;
}
