import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { resolve } from 'node:path';
import { PosternError } from '../../lib/errors.ts';
import { isListenedAt } from '../../lib/socket-path.ts';
import { whenBound } from './bind.ts';

/**
 * Binds a server to a path at which only this user may connect. A socket at which nobody listens any more is replaced;
 * anything else that is there stays: `request_invalid`. Node removes the socket when the server closes.
 */
export async function bindPath(server: Server, path: string): Promise<void> {
  const absolute = resolve(path);
  try {
    await bindPrivately(server, absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await requireDeadSocket(absolute);
    rmSync(absolute, { force: true });
    await bindPrivately(server, absolute);
  }
}

async function bindPrivately(server: Server, path: string): Promise<void> {
  await whenBound(server, () => {
    const before = process.umask(0o177);
    try {
      // The file is made before `listen` returns: it never has other permissions.
      server.listen({ path });
    } finally {
      process.umask(before);
    }
  });
  chmodSync(path, 0o600);
}

async function requireDeadSocket(path: string): Promise<void> {
  if (!lstatSync(path).isSocket())
    throw new PosternError(
      'request_invalid',
      `${path} is there and is not a socket, so it stays. Choose another path.`,
    );
  if (await isListenedAt(path))
    throw new PosternError('request_invalid', `Another program listens at ${path}. End it, or choose another path.`);
}
