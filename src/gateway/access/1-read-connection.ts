import { LEASE } from '../../domain/decision.ts';
import type { Destination } from '../../domain/destination.ts';
import { NO_PATH, type RequestPath } from '../../domain/request-path.ts';
import type { ConnectionClient } from '../connection/connection.ts';
import type { RequestHead } from './1-read.ts';

/** The one reading of what a stream of a client tunnel asks for. */
export interface ConnectionHead {
  readonly kind: 'tcp';
  readonly method: 'CONNECT' | typeof LEASE;
  /** Name of the resource, as asked for. */
  readonly resource: string;
  /** What the record says under `host`. */
  readonly host: string;
  readonly path: RequestPath;
  /** Only where the resource is a network. */
  readonly destination: Destination | undefined;
  readonly address: string;
  readonly userAgent: string | undefined;
}

/** What an access asks for, over whichever protocol. */
export type AccessHead = RequestHead | ConnectionHead;

/** Step 1 of a connection. Who is known by an address only has what leases allow, and nothing else. */
export function readConnection(resource: string, { credential, address, userAgent }: ConnectionClient): ConnectionHead {
  const method = credential.via === 'address' ? LEASE : 'CONNECT';
  return { kind: 'tcp', method, resource, host: resource, path: NO_PATH, destination: undefined, address, userAgent };
}
