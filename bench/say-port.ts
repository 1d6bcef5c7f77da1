import type { Server } from 'node:net';

/** What a server program of the bench prints before its port. */
export const SERVES_ON = 'serves on port ';

/** Listens on a free port of the loopback and says which, for `startServer`. */
export function listenAndSay(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address !== 'string') process.stdout.write(`${SERVES_ON}${address.port}\n`);
  });
}
