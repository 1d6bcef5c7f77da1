import type { Snapshot } from '../domain/snapshot.ts';

/** A host of a resource, with its origin there. */
export function resourceHost(
  { resourceByHost }: Snapshot,
  host: string,
): { readonly host: string; readonly origin: string } | undefined {
  const resource = resourceByHost.get(host);
  const origin = resource?.origins[resource.hosts.indexOf(host)];
  return origin === undefined ? undefined : { host, origin };
}
