import type { Resource } from '../../domain/resource.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { Endpoint } from '../../lib/network/endpoint.ts';
import type { FoundNetwork, TunnelDirectory } from '../ports.ts';
import type { RequestHead } from './1-read.ts';
import type { AccessHead } from './1-read-connection.ts';

/**
 * Step 2. Undefined for an unknown host, which nobody can tell from an existing one without a session there, and for an
 * unknown name. Web apps are no targets of connections: each of their requests is decided and recorded by itself. Networks
 * have no target but the destination.
 */
export function resolveResource(snapshot: Snapshot, head: AccessHead): Resource | undefined {
  if (head.kind !== 'tcp') return snapshot.resourceByHost.get(head.hostname);
  const resource = snapshot.resourceByName.get(head.resource);
  if (resource === undefined || resource.protocol === 'http') return undefined;
  return (resource.protocol === 'network') === (head.destination !== undefined) ? resource : undefined;
}

/** Step 2 of a connection through a network, of the named one or of whichever leads there. */
export function resolveNetwork(
  { resourceByName }: Snapshot,
  tunnels: TunnelDirectory,
  asked: Endpoint,
  name: string | undefined,
): FoundNetwork | undefined {
  const named = name === undefined ? undefined : resourceByName.get(name);
  if (name === undefined) return tunnels.findNetwork(asked, resourceByName);
  return named && tunnels.findNetwork(asked, new Map([[name, named]]));
}

/** `/.postern/…` on a resource's host is ours, in any encoding; every other path is the resource's. */
export function isReserved(head: RequestHead): boolean {
  return head.path.segments[0] === '.postern';
}
