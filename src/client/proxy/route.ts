import type { Duplex } from 'node:stream';
import { dropOldest } from '../../lib/drop-oldest.ts';
import { endpointText } from '../../lib/network/endpoint.ts';
import { isResourceName, resourceBelow } from '../resource-name.ts';
import type { Destination } from '../tunnel/destination.ts';
import type { StreamOpener } from '../tunnel/open-stream.ts';
import { StreamRefusedError } from '../tunnel/refusal.ts';

/** So long a name is not asked about again. */
const UNKNOWN_MS = 30_000;
const MAX_UNKNOWN = 1000;

/**
 * Finds what a host and port mean: `build01.<host of the relay>` is a resource; so is `build01`, if there is one; anything
 * else is for the relay to find in its networks.
 */
export class Route {
  readonly #relay: string;
  readonly #opener: StreamOpener;
  /** Names without dots that are no resources, and until when that holds. */
  readonly #unknown = new Map<string, number>();

  /** `relay`: its origin. */
  constructor(relay: string, opener: StreamOpener) {
    this.#relay = relay;
    this.#opener = opener;
  }

  /** Rejects as the opener does. */
  async open(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const below = resourceBelow(host, this.#relay);
    if (below !== undefined) return this.#opener.open({ resource: below }, signal);
    const there: Destination = { destination: endpointText({ host, port }) };
    const name = host.toLowerCase();
    if (!isResourceName(name) || this.#isUnknown(name)) return this.#opener.open(there, signal);
    try {
      return await this.#opener.open({ resource: name }, signal);
    } catch (error) {
      if (!(error instanceof StreamRefusedError) || error.refusal !== 'unknown_resource') throw error;
      this.#unknown.set(name, performance.now() + UNKNOWN_MS);
      dropOldest(this.#unknown, MAX_UNKNOWN);
      return this.#opener.open(there, signal);
    }
  }

  #isUnknown(name: string): boolean {
    const until = this.#unknown.get(name);
    return until !== undefined && performance.now() < until;
  }
}
