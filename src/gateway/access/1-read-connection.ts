import { NO_PATH, type RequestPath } from '../../domain/request-path.ts';
import type { RequestHead } from './1-read.ts';

/** The one reading of what a stream of a client tunnel asks for. */
export interface ConnectionHead {
  readonly kind: 'tcp';
  readonly method: 'CONNECT';
  /** Name of the resource, as asked for. */
  readonly resource: string;
  /** What the record says under `host`. */
  readonly host: string;
  readonly path: RequestPath;
  readonly address: string;
  readonly userAgent: string | undefined;
}

/** What an access asks for, over whichever protocol. */
export type AccessHead = RequestHead | ConnectionHead;

/** Step 1 of a connection. */
export function readConnection(
  resource: string,
  { address, userAgent }: Pick<ConnectionHead, 'address' | 'userAgent'>,
): ConnectionHead {
  return { kind: 'tcp', method: 'CONNECT', resource, host: resource, path: NO_PATH, address, userAgent };
}
