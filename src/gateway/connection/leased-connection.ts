import type { Socket } from 'node:net';
import type { Connection, ConnectionClient } from './connection.ts';

/** A connection to a leased port. Its program speaks no protocol of ours: a refusal is a reset, and says why in the record. */
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

  refuse(): void {
    this.reset();
  }
}
