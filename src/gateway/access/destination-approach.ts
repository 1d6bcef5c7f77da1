import { type Refusal, unresolvedRefusal } from '../answer/refusal.ts';
import type { Connection } from '../connection/connection.ts';
import type { Door } from '../door.ts';
import type { AgentTunnel } from '../ports.ts';
import type { ConnectionHead } from './1-read-connection.ts';
import type { Asked } from './asked.ts';
import { ConnectionApproach } from './connection-approach.ts';

/** A TCP connection through a network at the door. The agent that resolved its name is the one that dials. */
export class DestinationApproach extends ConnectionApproach {
  readonly #tunnel: AgentTunnel;

  constructor(door: Door, connection: Connection, head: ConnectionHead, tunnel: AgentTunnel) {
    super(door, connection, head);
    this.#tunnel = tunnel;
  }

  override pick(): AgentTunnel | undefined {
    return this.#tunnel.closed ? undefined : this.#tunnel;
  }

  /**
   * Has the name resolved, once for this connection: what is found here is decided, recorded, named in the receipt and dialled.
   * Nothing is resolved for whom no rule could allow what is asked for.
   */
  async locate({ snapshot, resource, identified }: Asked): Promise<Refusal | undefined> {
    const { destination } = this.head;
    if (destination === undefined || destination.address !== undefined) return undefined;
    const { session } = identified.identity;
    const isOpen = session.scope?.includes(resource.name) ?? true;
    if (!isOpen || !snapshot.policy.mayReach(session.principal, resource, destination)) return undefined;
    const resolved = await this.#tunnel.resolve(resource.name, destination, session.id);
    if ('code' in resolved) return unresolvedRefusal(destination.host, resolved);
    this.head = { ...this.head, destination: { ...destination, address: resolved.address } };
    return undefined;
  }
}
