import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PosternError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { within } from '../../lib/wait.ts';
import { lockDirectory } from './lock.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** A first start creates the cluster: seconds on a fast disk. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

export interface EmbeddedDatabase extends AsyncDisposable {
  /** For pg: the directory of the socket and the number in its name. */
  readonly address: { readonly host: string; readonly port: number };
}

/**
 * Starts PGlite in a worker thread on `<directory>/data`, behind a Unix socket that only this user can reach. Its lock
 * is held until disposed. It does not call fsync: the death of the process loses nothing, a power cut may.
 */
export async function startEmbedded(directory: string, log: Logger): Promise<EmbeddedDatabase> {
  await using undo = new AsyncDisposableStack();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = undo.use(await lockDirectory(directory));

  const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  const port = 5432;
  const worker = new Worker(file, {
    name: 'postern-database',
    workerData: { dataDir: join(directory, 'data'), socket: `${lock.socketDirectory}/.s.PGSQL.${port}` },
  });
  worker.on('error', (error) => log.error({ error: (error as Error).message }, 'the embedded database crashed'));
  undo.defer(() => stop(worker));
  const [message] = (await within(START_TIMEOUT_MS, 'Starting the embedded database', once(worker, 'message'))) as [
    FromWorker,
  ];
  if (message.type === 'failed') {
    throw new PosternError(
      'database_unavailable',
      `The embedded database in ${directory} cannot start: ${message.message}`,
    );
  }

  const held = undo.move();
  return { address: { host: lock.socketDirectory, port }, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function stop(worker: Worker): Promise<void> {
  const exited = once(worker, 'exit');
  worker.postMessage({ type: 'stop' } satisfies ToWorker);
  await within(STOP_TIMEOUT_MS, 'Stopping the embedded database', exited).catch(() => undefined);
  await worker.terminate();
}
