import type { IncomingMessage } from 'node:http';

/** Addresses that the listener found out from a trusted proxy. */
const known = new WeakMap<IncomingMessage, string>();

/** Where a request comes from: what a trusted proxy said, else the other end of its connection. '' for one that is gone. */
export function clientAddress(req: IncomingMessage): string {
  const found = known.get(req);
  if (found !== undefined) return found;
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Only for the listener, which knows whom to believe. */
export function noteClientAddress(req: IncomingMessage, address: string): void {
  known.set(req, address);
}
