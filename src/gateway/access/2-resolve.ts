import type { Resource } from '../../domain/resource.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { RequestHead } from './1-read.ts';

/** Step 2. Undefined for an unknown host, which nobody can tell from an existing one without a session there. */
export function resolveResource(snapshot: Snapshot, head: RequestHead): Resource | undefined {
  return snapshot.resourceByHost.get(head.hostname);
}

/** `/.postern/…` on a resource's host is ours, in any encoding; every other path is the resource's. */
export function isReserved(head: RequestHead): boolean {
  return head.path.segments[0] === '.postern';
}
