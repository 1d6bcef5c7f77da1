import { addressText } from '../connect/listen-at.ts';
import { resourceBelow } from '../resource-name.ts';
import type { Destination } from '../tunnel/destination.ts';

const FRESH_MS = 30_000;

export interface RouteOptions {
  /** Origin. */
  readonly relay: string;
  /** Names of the resources that take connections. */
  readonly resources: () => Promise<ReadonlySet<string>>;
}

/** Which host and port is which resource, and what is for the relay to find among its networks. */
export class Route {
  readonly #options: RouteOptions;
  #known: { readonly names: Promise<ReadonlySet<string>>; readonly at: number } | undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  async find(host: string, port: number): Promise<Destination> {
    const below = resourceBelow(host, this.#options.relay);
    if (below !== undefined) return { resource: below };
    const name = host.toLowerCase();
    // Only a name without dots may be that of a resource and something else, too.
    if (/^[a-z0-9-]+$/.test(name) && (await this.#names()).has(name)) return { resource: name };
    return { destination: addressText(host.replace(/\.$/, ''), port) };
  }

  #names(): Promise<ReadonlySet<string>> {
    if (this.#known && performance.now() - this.#known.at < FRESH_MS) return this.#known.names;
    const known = { names: this.#options.resources(), at: performance.now() };
    this.#known = known;
    known.names.catch(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return known.names;
  }
}
