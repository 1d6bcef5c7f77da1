import type { Static } from 'typebox';
import type { Protocol, Resource } from '../domain/resource.ts';
import { RESOURCE_DEFAULTS } from './defaults.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Place, Problems } from './problem.ts';
import type { RelayFileSchema } from './relay-schema.ts';
import type { ResourceSchema } from './resource-schema.ts';
import { readSettings } from './resource-settings.ts';
import { isHostName } from './values.ts';
import type { YamlDocument } from './yaml-document.ts';

export interface RelayOrigin {
  readonly origin: string;
  readonly host: string;
  /** `https:` or `http:`. */
  readonly scheme: string;
  /** '' for the scheme's own. */
  readonly port: string;
}

/** The `resources` of postern.yaml: defaults filled in, hosts unique, agents known, identity headers harmless. */
export function readResources(document: Document, relay: RelayOrigin, problems: Problems): Resource[] {
  const { resources = {} } = document.value;
  const nameByHost = new Map<string, string>();
  return Object.entries(resources).map(([name, entry]) => {
    const reading: Reading = {
      document,
      name,
      entry,
      at: (...path) => document.place('resources', name, ...path),
      problems,
    };
    const protocol = entry.protocol ?? RESOURCE_DEFAULTS.protocol;
    if (protocol !== 'http') refuseWebSettings(reading, protocol);
    const hosts = protocol === 'http' ? readHosts(reading, relay, nameByHost) : [];
    const origins = hosts.map((host) => `${relay.scheme}//${host}${relay.port === '' ? '' : `:${relay.port}`}`);
    return {
      name,
      protocol,
      title: entry.title ?? name,
      description: entry.description,
      host: hosts[0] ?? '',
      hosts,
      origin: origins[0] ?? '',
      origins,
      tags: entry.tags ?? RESOURCE_DEFAULTS.tags,
      owner: entry.owner,
      agents: readAgents(reading),
      paths: entry.paths ?? RESOURCE_DEFAULTS.paths,
      websocket: entry.websocket ?? RESOURCE_DEFAULTS.websocket,
      identityHeaders: readIdentityHeaders(reading),
      recordedQuery: entry.audit?.query ?? [],
      ...readSettings(entry, reading.at, problems),
    };
  });
}

type Document = YamlDocument<Static<typeof RelayFileSchema>>;

/** One resource as it is read. */
interface Reading {
  readonly document: Document;
  readonly name: string;
  readonly entry: Static<typeof ResourceSchema>;
  readonly at: (...path: (string | number)[]) => Place;
  readonly problems: Problems;
}

/** Of connections nothing is read but whose they are. */
function refuseWebSettings({ name, entry, problems, document }: Reading, protocol: Protocol): void {
  for (const key of Object.keys(entry)) {
    if (WEB_SETTINGS.has(key))
      problems.add(
        document.keyPlace('resources', name, key),
        `"${key}" is for web apps, and resource "${name}" is ${protocol}`,
      );
  }
}

const WEB_SETTINGS: ReadonlySet<string> = new Set([
  'host',
  'hosts',
  'paths',
  'websocket',
  'targetHost',
  'timeouts',
  'bodyLimit',
  'cors',
  'unsafeFrom',
  'headers',
  'audit',
]);

/** Lower case. `nameByHost` gathers the hosts of all resources. */
function readHosts(
  { name, entry, at, problems }: Reading,
  relay: RelayOrigin,
  nameByHost: Map<string, string>,
): string[] {
  if (entry.host !== undefined && entry.hosts !== undefined)
    problems.add(at('hosts'), `resource "${name}" needs either "host" or "hosts"`);
  const hosts = (entry.hosts ?? [entry.host ?? `${name}.${relay.host}`]).map((text) => text.toLowerCase());
  for (const [index, host] of hosts.entries()) {
    const place = entry.hosts ? at('hosts', index) : at('host');
    const taken = nameByHost.get(host);
    if (host.includes(':') || host.includes('/'))
      problems.add(place, `"${host}" must be a host name alone, without scheme, port or path`);
    else if (!isHostName(host)) problems.add(place, `"${host}" is not a host name`);
    else if (host === relay.host) problems.add(place, `"${host}" is the relay's own host; choose another`);
    else if (taken !== undefined) problems.add(place, `"${host}" is already the host of resource "${taken}"`);
    nameByHost.set(host, taken ?? name);
  }
  return hosts;
}

function readAgents({ document, name, entry, at, problems }: Reading): string[] {
  const { agents = {} } = document.value;
  if ((entry.agent === undefined) === (entry.agents === undefined))
    problems.add(document.keyPlace('resources', name), `resource "${name}" needs either "agent" or "agents"`);
  const serving = entry.agents ?? (entry.agent === undefined ? [] : [entry.agent]);
  for (const [index, agent] of serving.entries()) {
    if (Object.hasOwn(agents, agent)) continue;
    const place = entry.agents ? at('agents', index) : at('agent');
    problems.add(place, `there is no agent "${agent}" under "agents"${didYouMean(agent, Object.keys(agents))}`);
  }
  return serving;
}

/** Lower-case header name → fact. */
function readIdentityHeaders({ document, name, entry, at, problems }: Reading): Resource['identityHeaders'] {
  const headers = Object.entries(entry.headers ?? {}).map(([header, fact]) => {
    if (isReservedHeader(header))
      problems.add(
        document.keyPlace('resources', name, 'headers', header),
        `the header "${header}" is reserved; choose another such as Remote-User`,
      );
    return [header.toLowerCase(), fact] as const;
  });
  if (new Set(headers.map(([header]) => header)).size < headers.length)
    problems.add(at('headers'), 'the same header is given twice (case does not matter)');
  return Object.fromEntries(headers);
}

/** Headers that carry the message itself, our own statements, or somebody else's credentials. */
function isReservedHeader(name: string): boolean {
  return (
    /^(x-postern-|postern-|proxy-|sec-|access-control-|content-|if-|accept)/i.test(name) ||
    RESERVED.has(name.toLowerCase())
  );
}

const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'origin',
  'range',
  'referer',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-original-url',
  'x-real-ip',
  'x-request-id',
  'x-rewrite-url',
]);
