import type { Duplex } from 'node:stream';
import type { TerminationReason } from '../../domain/change.ts';
import type { Credential } from '../access/3-identify.ts';
import type { Refusal } from '../answer/refusal.ts';

/** Who asks for connections, and from where. */
export interface ConnectionClient {
  readonly credential: Credential;
  readonly address: string;
  readonly userAgent: string | undefined;
}

/** One connection that somebody asks for, and the means to answer it. */
export interface Connection {
  readonly client: ConnectionClient;
  /** Name of the resource; undefined: whichever network leads to the destination. */
  readonly resource: string | undefined;
  /** `host:port` as asked for, of a network. */
  readonly destination?: string | undefined;
  /** Its bytes, from and to the client. */
  readonly stream: Duplex;
  /** Tells the client that the target is reached. Bytes may follow at once. */
  accept(): void;
  /** Ends the stream so that nobody takes what came for all of it. */
  reset(): void;
  /** As `reset`, of one that authority ended: says why where the client can be told. `reference` finds the record. */
  cut(reason: TerminationReason, reference: string): void;
  /** Tells the client why not, and ends the stream. Does nothing when it has ended. */
  refuse(refusal: Refusal, reference?: string): void;
}
