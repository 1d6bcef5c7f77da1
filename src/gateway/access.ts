import type { Resource } from '../domain/resource.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { messageOf } from '../lib/errors.ts';
import { type RequestHead, readRequest } from './access/1-read.ts';
import { readConnection } from './access/1-read-connection.ts';
import { destinationHead, readDestination } from './access/1-read-destination.ts';
import { isReserved, resolveNetwork, resolveResource } from './access/2-resolve.ts';
import { identify, readIdentity } from './access/3-identify.ts';
import { anonymous } from './access/anonymous.ts';
import { ConnectionApproach } from './access/connection-approach.ts';
import { preflightHeaders } from './access/cors.ts';
import { DestinationApproach } from './access/destination-approach.ts';
import { pass } from './access/pass.ts';
import { refuse } from './access/refuse.ts';
import { RequestApproach } from './access/request-approach.ts';
import { answerReserved, answerStranger } from './access/stranger.ts';
import { answerPreflight } from './answer/answer.ts';
import type { Exchange } from './answer/exchange.ts';
import {
  AUTHORITY_UNAVAILABLE,
  isRefusal,
  NO_NETWORK,
  NO_RESOURCE,
  type Refusal,
  SESSION_ENDED,
  TOO_MANY_REQUESTS,
} from './answer/refusal.ts';
import type { Connection } from './connection/connection.ts';
import type { Door } from './door.ts';

/**
 * The only door, for HTTP requests and upgrades: each passes the steps in their order, or is answered here. Steps 4 to 7
 * are in `access/pass.ts`. Never rejects.
 */
export async function access(door: Door, exchange: Exchange): Promise<void> {
  let head: RequestHead | undefined;
  try {
    const read = readRequest(exchange.req, exchange.upgrade !== undefined); // 1 read
    if (isRefusal(read)) return refuse(door, exchange, undefined, read, { stranger: 'request_refused' });
    head = read;
    await accessRead(door, exchange, read);
  } catch (error) {
    // A port failed where doubt means deny: sessions cannot be read, or a defect of ours.
    door.log?.error({ error: messageOf(error) }, 'a request was refused because of a failure');
    refuse(door, exchange, head, AUTHORITY_UNAVAILABLE);
  }
}

async function accessRead(door: Door, exchange: Exchange, head: RequestHead): Promise<void> {
  const { ports } = door;
  const snapshot = ports.snapshot();
  const resource = resolveResource(snapshot, head); // 2 resolve
  if (isReserved(head)) return answerReserved(door, exchange, head, resource);
  const preflight = preflightHeaders(head, resource);
  if (preflight !== undefined) return answerPreflight(exchange, head, preflight);

  const known = await identify(ports, head, resource); // 3 identify
  if (isRefusal(known)) return refuse(door, exchange, head, known, { stranger: 'request_refused', resource });
  if (resource === undefined) return answerStranger(door, exchange, head, resource);
  const identified = known ?? anonymous(resource, head);
  await pass(door, new RequestApproach(door, exchange, head), { snapshot, resource, identified }); // 4 to 7
}

/** The same door, for a stream that a person's command line opened. Never rejects. */
export async function accessConnection(door: Door, connection: Connection): Promise<void> {
  try {
    const { credential } = connection.client;
    const snapshot = door.ports.snapshot();
    const found = findApproach(door, snapshot, connection); // 1 read, 2 resolve
    const identity = await readIdentity(door.ports, credential); // 3 identify
    if (identity === undefined) return connection.refuse(SESSION_ENDED);
    if (isRefusal(found)) {
      // Nothing is recorded of it: at least it cannot be asked for ever.
      const admitted = door.personRate.admits(identity.session.principal.id);
      return connection.refuse(admitted ? found : TOO_MANY_REQUESTS);
    }
    const { approach, resource } = found;
    await pass(door, approach, { snapshot, resource, identified: { identity, credential } }); // 4 to 7
  } catch (error) {
    door.log?.error({ error: messageOf(error) }, 'a connection was refused because of a failure');
    connection.refuse(AUTHORITY_UNAVAILABLE);
  }
}

interface FoundApproach {
  readonly resource: Resource;
  readonly approach: ConnectionApproach;
}

function findApproach(door: Door, snapshot: Snapshot, connection: Connection): FoundApproach | Refusal {
  const { client, resource: name, destination } = connection;
  if (destination === undefined) {
    const head = readConnection(name ?? '', client);
    const resource = resolveResource(snapshot, head);
    return resource === undefined
      ? NO_RESOURCE
      : { resource, approach: new ConnectionApproach(door, connection, head) };
  }
  const asked = readDestination(destination);
  if (isRefusal(asked)) return asked;
  const found = resolveNetwork(snapshot, door.ports.tunnels, asked, name);
  if (found === undefined) return NO_NETWORK;
  const { resource, tunnel } = found;
  const head = destinationHead(asked, resource.name, client);
  return { resource, approach: new DestinationApproach(door, connection, head, tunnel) };
}
