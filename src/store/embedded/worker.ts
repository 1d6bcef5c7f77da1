import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { MEMORY_SETTINGS } from './settings.ts';
import { serveSocket } from './socket-server.ts';

export type ToWorker = { readonly type: 'stop' };
export type FromWorker = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

const { dataDir, socket } = workerData as { dataDir: string; socket: string };
const port = parentPort;
if (!port) throw new Error('This file runs as a worker thread.');

try {
  const db = await PGlite.create(dataDir, { startParams: [...PGlite.defaultStartParams, ...MEMORY_SETTINGS] });
  // Left behind by one that crashed; the lock says that nobody else listens there.
  rmSync(socket, { force: true });
  const server = await serveSocket(
    socket,
    (messages, answer) => db.runExclusive(() => db.execProtocolRawStream(messages, { onRawData: answer })),
    (error) => {
      // Nothing that follows could be trusted: end this thread, and another one recovers.
      setImmediate(() => {
        throw error;
      });
    },
  );
  port.once('message', () => {
    void (async () => {
      await server[Symbol.asyncDispose]();
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
