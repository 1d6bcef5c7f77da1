import type { Connection } from '../connection/connection.ts';
import type { ConnectionPlace } from '../connection/places.ts';
import type { Door } from '../door.ts';
import type { ConnectionHead } from './1-read-connection.ts';
import { dialledText } from './dialled.ts';
import { OpenAccess, type OpenFacts } from './open-access.ts';

/** One TCP connection: a stream of a client tunnel joined to a stream of an agent's. */
export class OpenConnection extends OpenAccess<ConnectionPlace> {
  readonly head: ConnectionHead;
  readonly connection: Connection;

  constructor(door: Door, facts: OpenFacts<ConnectionPlace>, head: ConnectionHead, connection: Connection) {
    super(door, facts);
    this.head = head;
    this.connection = connection;
  }

  get destination(): string | undefined {
    return dialledText(this.head.destination);
  }

  protected override cutClient(): void {
    this.connection.reset();
  }
}
