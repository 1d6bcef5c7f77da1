import type { Resource } from '../../domain/resource.ts';
import { CONNECTIONS_FULL, type Refusal } from '../answer/refusal.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionPlace } from '../connection/places.ts';
import type { Door } from '../door.ts';
import type { AgentTunnel } from '../ports.ts';
import type { ConnectionHead } from './1-read-connection.ts';
import { forwardConnection } from './6-forward-connection.ts';
import type { Approach, RefusalMarks } from './approach.ts';
import type { OpenFacts } from './open-access.ts';
import { OpenConnection } from './open-connection.ts';

/** A TCP connection at the door. */
export class ConnectionApproach implements Approach<ConnectionPlace, OpenConnection> {
  head: ConnectionHead;
  readonly full = CONNECTIONS_FULL;
  readonly #door: Door;
  readonly #connection: Connection;

  constructor(door: Door, connection: Connection, head: ConnectionHead) {
    this.#door = door;
    this.#connection = connection;
    this.head = head;
  }

  /** Strangers open no client tunnels, whatever rules say. */
  admitsStranger(): Promise<boolean> {
    return Promise.resolve(false);
  }

  pick(resource: Resource): AgentTunnel | undefined {
    return this.#door.ports.tunnels.pick(resource);
  }

  unfit(): undefined {
    return undefined;
  }

  take(_session: string, { name }: Resource, tunnel: AgentTunnel): ConnectionPlace | undefined {
    return this.#door.connections.take(name, tunnel);
  }

  giveBack(place: ConnectionPlace): void {
    this.#door.connections.giveBack(place);
  }

  open(facts: OpenFacts<ConnectionPlace>): OpenConnection {
    return new OpenConnection(this.#door, facts, this.head, this.#connection);
  }

  forward(access: OpenConnection): Promise<void> {
    return forwardConnection(access);
  }

  refuse(refusal: Refusal, marks?: RefusalMarks): void {
    this.#connection.refuse(refusal, marks?.reference);
  }
}
