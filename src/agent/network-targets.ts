import { lookup } from 'node:dns/promises';
import type { AgentConfig } from '../config/agent-config.ts';
import type { TcpTarget } from '../config/agent-target.ts';
import { dropOldest } from '../lib/drop-oldest.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import { isAddress, plainText } from '../lib/network/address.ts';
import { type Endpoint, parseEndpoint } from '../lib/network/endpoint.ts';
import { NetworkList } from '../lib/network/network-list.ts';
import { within } from '../lib/wait.ts';
import type { Resolution } from '../tunnel/control-message.ts';

/** The addresses of a name, best first. Rejects where there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** As this machine resolves names, its hosts file and its search list included. */
export const systemLookup: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** The relay waits a little longer. */
const LOOKUP_TIMEOUT_MS = 4_500;
/** Names that are looked up at the same time; for one more the relay hears `too_many`. */
const MAX_LOOKUPS = 64;
/** How long an address that was given for a name may be dialled: the relay decides and records meanwhile. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

export type Resolved = { readonly address: string } | { readonly code: Resolution; readonly message: string };

/** What one tunnel may have dialled for network resources: addresses that are listed, and those that this agent itself found for listed names. */
export class NetworkTargets {
  readonly #lists: ReadonlyMap<string, NetworkList>;
  readonly #lookup: Lookup;
  /** What was found for names → until when (monotonic) it may be dialled; oldest first. */
  readonly #found = new Map<string, number>();
  #lookups = 0;

  constructor(networks: AgentConfig['networks'], resolver: Lookup) {
    this.#lists = new Map(Object.entries(networks).map(([name, texts]) => [name, new NetworkList(texts)]));
    this.#lookup = resolver;
  }

  /** Looks a listed name up, once for each connection. */
  async resolve(resource: string, asked: Endpoint): Promise<Resolved> {
    const list = this.#lists.get(resource);
    if (list?.rank(asked) === undefined || isAddress(asked.host))
      return { code: 'not_allowed', message: `This agent does not list ${asked.host} at port ${asked.port}.` };
    if (this.#lookups >= MAX_LOOKUPS)
      return { code: 'too_many', message: 'This agent looks up too many names already.' };
    this.#lookups += 1;
    const looking = this.#lookup(asked.host);
    // A lookup cannot be stopped: it counts until it has ended.
    const ended = () => {
      this.#lookups -= 1;
    };
    looking.then(ended, ended);
    try {
      const found = await within(LOOKUP_TIMEOUT_MS, `Looking up ${asked.host}`, looking);
      const address = plainText(found.find((each) => list.takes(each)) ?? '');
      if (address === undefined)
        return { code: 'not_allowed', message: `${asked.host} leads to no address that this agent may dial.` };
      this.#remember(resource, { host: address, port: asked.port });
      return { address };
    } catch (error) {
      return { code: hasCode(error, 'timeout') ? 'timeout' : 'not_found', message: messageOf(error) };
    }
  }

  /** What to dial for a stream, or why nothing is. */
  target(resource: string, destination: string): TcpTarget | string {
    const list = this.#lists.get(resource);
    const endpoint = parseEndpoint(destination);
    if (list === undefined) return `This agent has no network ${resource}.`;
    if (endpoint === undefined || !isAddress(endpoint.host)) return 'A destination is an address and a port.';
    const { host, port } = endpoint;
    const may =
      list.hasPort(port) && (list.lists(host) || (list.takes(host) && this.#isRemembered(resource, endpoint)));
    return may ? { kind: 'tcp', host, port } : `This agent does not list ${destination}.`;
  }

  #remember(resource: string, endpoint: Endpoint): void {
    const key = keyOf(resource, endpoint);
    this.#found.delete(key);
    this.#found.set(key, performance.now() + REMEMBERED_MS);
    dropOldest(this.#found, MAX_REMEMBERED);
  }

  #isRemembered(resource: string, endpoint: Endpoint): boolean {
    return (this.#found.get(keyOf(resource, endpoint)) ?? 0) > performance.now();
  }
}

function keyOf(resource: string, { host, port }: Endpoint): string {
  return `${resource} ${host} ${port}`;
}
