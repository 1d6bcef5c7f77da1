import type { Server } from 'node:net';
import { clientNetwork, type Networks } from '../../lib/networks.ts';
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS } from '../limits.ts';

/**
 * Connections that are open at once, over all and by the client's address (IPv6: its /64); the next is closed unread.
 * Trusted proxies bring many clients and count only in the sum.
 */
export function limitConnections(
  server: Server,
  trusted: Networks,
  { total = MAX_CONNECTIONS, perAddress = MAX_CONNECTIONS_PER_ADDRESS } = {},
): void {
  server.maxConnections = total;
  const open = new Map<string, number>();
  server.prependListener('connection', (socket) => {
    const address = socket.remoteAddress;
    // It has gone already, or it is one of ours.
    if (address === undefined || trusted(address)) return;
    const network = clientNetwork(address);
    const count = (open.get(network) ?? 0) + 1;
    if (count > perAddress) {
      socket.destroy();
      return;
    }
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}
