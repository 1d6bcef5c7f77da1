import type { Resource } from '../../domain/resource.ts';
import type { Endpoint } from '../../lib/network/endpoint.ts';
import type { FoundNetwork, TunnelDirectory } from '../ports.ts';
import type { LiveTunnel } from './live-tunnel.ts';

/** Tunnels one agent may have at once; one more ends its oldest with `replaced`. */
const MAX_TUNNELS_PER_AGENT = 4;

/** All tunnels of this relay, and which of them a stream should take. */
export class LiveTunnels implements TunnelDirectory {
  /** Newest first. */
  readonly #byAgent = new Map<string, LiveTunnel[]>();
  #turn = 0;

  add(tunnel: LiveTunnel): void {
    const tunnels = [tunnel, ...(this.#byAgent.get(tunnel.agent) ?? [])];
    this.#byAgent.set(tunnel.agent, tunnels);
    tunnel.ended.addEventListener('abort', () => this.#remove(tunnel), { once: true });
    if (tunnel.closed) this.#remove(tunnel);
    for (const old of tunnels.slice(MAX_TUNNELS_PER_AGENT)) old.end('replaced', 'The agent has newer tunnels.');
  }

  all(): LiveTunnel[] {
    return [...this.#byAgent.values()].flat();
  }

  /**
   * One tunnel per agent competes: its newest healthy one. Of those, one whose agent reaches the target, then the one with
   * the fewest streams; equals take turns.
   */
  pick(resource: Resource): LiveTunnel | undefined {
    const { name } = resource;
    return this.#pick(resource, (tunnel) => tunnel.serves(name));
  }

  findNetwork(asked: Endpoint, resources: ReadonlyMap<string, Resource>): FoundNetwork | undefined {
    const listing = this.all().flatMap((tunnel) =>
      [...tunnel.control.networks.keys()].flatMap((name) => {
        const resource = resources.get(name);
        const rank = tunnel.rank(name, asked);
        const serves = resource?.protocol === 'network' && resource.agents.includes(tunnel.agent);
        return rank !== undefined && serves ? [{ resource, rank }] : [];
      }),
    );
    const [best] = listing.toSorted(
      (a, b) =>
        Number(a.resource.announced ?? false) - Number(b.resource.announced ?? false) ||
        b.rank - a.rank ||
        (a.resource.name < b.resource.name ? -1 : 1),
    );
    if (best === undefined) return undefined;
    const { resource } = best;
    const tunnel = this.#pick(resource, (each) => each.rank(resource.name, asked) !== undefined);
    return tunnel && { resource, tunnel };
  }

  #pick({ agents, name }: Resource, leadsThere: (tunnel: LiveTunnel) => boolean): LiveTunnel | undefined {
    let best: LiveTunnel | undefined;
    this.#turn += 1;
    for (let n = 0; n < agents.length; n += 1) {
      const agent = agents[(n + this.#turn) % agents.length];
      const candidate = agent === undefined ? undefined : this.#newest(agent, leadsThere);
      if (candidate && (!best || better(candidate, best, name))) best = candidate;
    }
    return best;
  }

  #newest(agent: string, leadsThere: (tunnel: LiveTunnel) => boolean): LiveTunnel | undefined {
    let suspect: LiveTunnel | undefined;
    for (const tunnel of this.#byAgent.get(agent) ?? []) {
      if (tunnel.closed || !leadsThere(tunnel)) continue;
      if (tunnel.healthy) return tunnel;
      suspect ??= tunnel;
    }
    return suspect;
  }

  #remove(tunnel: LiveTunnel): void {
    const left = this.#byAgent.get(tunnel.agent)?.filter((other) => other !== tunnel) ?? [];
    if (left.length > 0) this.#byAgent.set(tunnel.agent, left);
    else this.#byAgent.delete(tunnel.agent);
  }
}

function better(one: LiveTunnel, other: LiveTunnel, resource: string): boolean {
  if (one.healthy !== other.healthy) return one.healthy;
  if (one.reaches(resource) !== other.reaches(resource)) return one.reaches(resource);
  return one.streamCount < other.streamCount;
}
