import type { StreamPlace } from '../access/stream-place.ts';
import { MAX_CONNECTIONS_PER_RESOURCE } from '../limits.ts';
import type { AgentTunnel } from '../ports.ts';

/** The place of one connection at its resource; its stream is opened once and carries nothing else. */
export interface ConnectionPlace extends StreamPlace {
  readonly resource: string;
}

/** Counts the connections to each resource, from the moment a place is taken. */
export class ConnectionPlaces {
  /** By resource; as many as are open. */
  readonly #taken = new Map<string, Set<ConnectionPlace>>();

  /** Undefined where the resource has as many as it may. */
  take(resource: string, tunnel: AgentTunnel): ConnectionPlace | undefined {
    if ((this.#taken.get(resource)?.size ?? 0) >= MAX_CONNECTIONS_PER_RESOURCE) return undefined;
    return this.#add(resource, tunnel);
  }

  /** The same place, on another tunnel. */
  move(place: ConnectionPlace, tunnel: AgentTunnel): ConnectionPlace {
    this.giveBack(place);
    return this.#add(place.resource, tunnel);
  }

  giveBack(place: ConnectionPlace): void {
    const places = this.#taken.get(place.resource);
    if (places?.delete(place) && places.size === 0) this.#taken.delete(place.resource);
  }

  #add(resource: string, tunnel: AgentTunnel): ConnectionPlace {
    const place = { resource, tunnel, name: tunnel.nameStream(), ordinal: 1 };
    const places = this.#taken.get(resource);
    if (places) places.add(place);
    else this.#taken.set(resource, new Set([place]));
    return place;
  }
}
