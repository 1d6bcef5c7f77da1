import type { Socket } from 'node:net';
import type { Connection, ConnectionClient } from './connection.ts';

/** A connection to a leased port. Its program speaks no protocol of ours: why it was refused or cut is in the record alone. */
export class LeasedConnection implements Connection {
  readonly client: ConnectionClient;
  readonly resource: string;
  readonly stream: Socket;

  constructor(client: ConnectionClient, resource: string, stream: Socket) {
    this.client = client;
    this.resource = resource;
    this.stream = stream;
  }

  accept(): void {}

  reset(): void {
    this.stream.resetAndDestroy();
  }

  cut(): void {
    this.reset();
  }

  refuse(): void {
    this.reset();
  }
}
