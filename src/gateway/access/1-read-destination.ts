import { isAddress } from '../../lib/network/address.ts';
import { type Endpoint, endpointText, parseEndpoint } from '../../lib/network/endpoint.ts';
import { type Refusal, UNREADABLE_DESTINATION } from '../answer/refusal.ts';
import type { ConnectionClient } from '../connection/connection.ts';
import { type ConnectionHead, readConnection } from './1-read-connection.ts';

/** Step 1 of a connection through a network: `host:port` in its one reading. */
export function readDestination(text: string): Endpoint | Refusal {
  return parseEndpoint(text) ?? UNREADABLE_DESTINATION;
}

/** As it is until the name is resolved; an address is one already. */
export function destinationHead(asked: Endpoint, resource: string, client: ConnectionClient): ConnectionHead {
  const address = isAddress(asked.host) ? asked.host : undefined;
  return { ...readConnection(resource, client), host: endpointText(asked), destination: { ...asked, address } };
}
