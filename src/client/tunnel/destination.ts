/** Where a stream leads: a resource by name, or `host:port`, of which the relay finds the resource. */
export type Destination = { readonly resource: string } | { readonly destination: string };

export function destinationText(to: Destination): string {
  return 'resource' in to ? to.resource : to.destination;
}
