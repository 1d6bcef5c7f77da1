import type { Server } from 'node:net';

/** `begin` makes the server listen; resolves when it does, rejects with what the system said. */
export function whenBound(server: Server, begin: () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).once('listening', resolve);
  begin();
  return promise.finally(() => server.off('error', reject).off('listening', resolve));
}
