import type { Resource } from '../../domain/resource.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { RequestHead } from './1-read.ts';
import type { AccessHead } from './1-read-connection.ts';

/**
 * Step 2. Undefined for an unknown host, which nobody can tell from an existing one without a session there, and for an
 * unknown name. Web apps are no targets of connections: each of their requests is decided and recorded by itself.
 */
export function resolveResource(snapshot: Snapshot, head: AccessHead): Resource | undefined {
  if (head.kind !== 'tcp') return snapshot.resourceByHost.get(head.hostname);
  const resource = snapshot.resourceByName.get(head.resource);
  return resource?.protocol === 'http' ? undefined : resource;
}

/** `/.postern/…` on a resource's host is ours, in any encoding; every other path is the resource's. */
export function isReserved(head: RequestHead): boolean {
  return head.path.segments[0] === '.postern';
}
