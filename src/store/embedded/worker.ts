import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export type ToWorker = { readonly type: 'stop' };
export type FromWorker = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/** More than the one in use: a broken connection may still be going away when its replacement comes. */
const MAX_CONNECTIONS = 4;

const { dataDir, socket } = workerData as { dataDir: string; socket: string };
const port = parentPort;
if (!port) throw new Error('This file runs as a worker thread.');

try {
  const db = await PGlite.create(dataDir);
  // Left behind by one that crashed; the lock says that nobody else listens there.
  rmSync(socket, { force: true });
  const server = new PGLiteSocketServer({ db, path: socket, maxConnections: MAX_CONNECTIONS });
  await server.start();
  port.once('message', () => {
    void (async () => {
      await server.stop();
      await db.close();
      port.close();
    })();
  });
  port.postMessage({ type: 'ready' } satisfies FromWorker);
} catch (error) {
  port.postMessage({
    type: 'failed',
    message: error instanceof Error ? error.message : String(error),
  } satisfies FromWorker);
}
