import { once } from 'node:events';
import { createServer } from 'node:net';
import type { LeaseConfig } from '../config/leases.ts';
import { openPort } from './open-port.ts';

/** Rejects with `config_invalid` where no port can be listened on: said at the start, and not to the first who leases one. */
export async function tryLeaseAddress({ listen }: LeaseConfig): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await openPort(server, { host: listen, port: 0 }, 'leases.listen');
  server.close();
  await once(server, 'close');
}
