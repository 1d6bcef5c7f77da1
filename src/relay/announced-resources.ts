import type { RelayConfig } from '../config/relay-config.ts';
import { NAME_PATTERN } from '../domain/name.ts';
import { DEFAULT_SETTINGS, type Protocol, type Resource } from '../domain/resource.ts';
import type { Announced, AnnouncementJudge, RefusedAnnouncement } from '../gateway/tunnel/announcement.ts';
import { isInScope } from './scope.ts';
import type { SnapshotHolder } from './snapshot-holder.ts';

/** Resources beyond the file, all agents together. At the limit announcements of new names are refused. */
const MAX_ANNOUNCED = 2_000;
const NAME = new RegExp(NAME_PATTERN);

/**
 * What agents may serve: the resources whose entry in the relay's file lists them, and names within the scope of their
 * enrollment token (of networks and other connections, ports within it, too). A name that the file does not know becomes a resource of its own, a web app at
 * `<name>.<relay host>`, without tags and owner: it is denied to everyone until a rule names it. The first agent to announce a name holds it, until it is revoked.
 */
export class AnnouncedResources {
  readonly #config: RelayConfig;
  readonly #snapshots: SnapshotHolder;
  readonly #grew: (resource: Resource) => void;
  readonly #announced = new Map<string, Resource>();

  /** `grew` hears of each resource that the file does not know. */
  constructor(config: RelayConfig, snapshots: SnapshotHolder, grew: (resource: Resource) => void) {
    this.#grew = grew;
    this.#config = config;
    this.#snapshots = snapshots;
  }

  readonly judge: AnnouncementJudge = (agent, scope, announced) =>
    announced.flatMap((each): RefusedAnnouncement[] => {
      const reason = this.#refusal(agent, scope, each);
      return reason === undefined ? [] : [{ resource: each.resource, reason }];
    });

  /** The names that a revoked agent held are free again, and nobody is led there any more. */
  forget(agent: string): void {
    const held = [...this.#announced.values()].filter(({ agents }) => agents.includes(agent));
    if (held.length === 0) return;
    for (const { name } of held) this.#announced.delete(name);
    this.#publish();
  }

  #refusal(
    agent: string,
    scope: readonly string[],
    { resource: name, protocol, ports }: Announced,
  ): string | undefined {
    const configured = this.#config.resources.find((resource) => resource.name === name);
    const held = configured ?? this.#announced.get(name);
    const serves = held?.agents.includes(agent) === true;
    if (serves && (held.protocol === 'network') !== (protocol === 'network'))
      return `it is ${held.protocol} here, so it belongs under "${held.protocol === 'network' ? 'networks' : 'targets'}"`;
    if (serves && configured) return undefined;
    if (configured) return `the relay's file gives it to ${configured.agents.join(', ')}`;
    if (held && !serves) return `${held.agents.join(', ')} holds this name`;
    if (!NAME.test(name)) return 'a name has lower-case letters, digits and "-", at most 63';
    if (!scope.some((entry) => isInScope(entry, name, ports)))
      return `neither the relay's file nor the scope of the enrollment token gives it to this agent${ports ? ' with these ports' : ''}`;
    if (serves) return undefined;
    const host = protocol === 'http' ? `${name}.${this.#config.relay.host}` : undefined;
    const taken = host === undefined ? undefined : this.#snapshots.current.resourceByHost.get(host);
    if (taken) return `its host ${host} is one of ${taken.name}`;
    if (this.#announced.size >= MAX_ANNOUNCED) return 'the relay holds as many announced resources as it may';
    const resource = this.#resource(name, protocol, host, agent);
    this.#announced.set(name, resource);
    this.#publish();
    this.#grew(resource);
    return undefined;
  }

  #publish(): void {
    this.#snapshots.swapResources([...this.#config.resources, ...this.#announced.values()]);
  }

  #resource(name: string, protocol: Protocol, host: string | undefined, agent: string): Resource {
    const { protocol: scheme, port } = new URL(this.#config.relay.origin);
    const hosts = host === undefined ? [] : [host];
    const origins = hosts.map((each) => `${scheme}//${each}${port === '' ? '' : `:${port}`}`);
    return {
      name,
      protocol,
      title: name,
      description: undefined,
      host: host ?? '',
      hosts,
      origin: origins[0] ?? '',
      origins,
      tags: [],
      owner: undefined,
      agents: [agent],
      paths: 'strict',
      websocket: true,
      corsOrigins: [],
      identityHeaders: {},
      recordedQuery: [],
      ...DEFAULT_SETTINGS,
      announced: true,
    };
  }
}
