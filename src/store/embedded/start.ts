import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf, PosternError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { pause, within } from '../../lib/wait.ts';
import { createCluster } from './create-cluster.ts';
import { lockDirectory } from './lock.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** Recovery after a crash included. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
/** Between a crash and the next start. */
const RESTART_MS = 500;

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

  const port = 5432;
  const dataDir = join(directory, 'data');
  await createCluster(dataDir);
  const data = { dataDir, socket: `${lock.socketDirectory}/.s.PGSQL.${port}` };
  const thread = undo.use(new DatabaseThread(data, log));
  await thread.start();

  const held = undo.move();
  return { address: { host: lock.socketDirectory, port }, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** The worker thread; one that crashes is started again, and what it had acknowledged is there. */
class DatabaseThread implements AsyncDisposable {
  readonly #data: { readonly dataDir: string; readonly socket: string };
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #worker: Worker | undefined;

  constructor(data: { readonly dataDir: string; readonly socket: string }, log: Logger) {
    this.#data = data;
    this.#log = log;
  }

  async start(): Promise<void> {
    const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
    const worker = new Worker(file, { name: 'postern-database', workerData: this.#data });
    this.#worker = worker;
    worker.on('error', (error) => this.#log.error({ error: messageOf(error) }, 'the embedded database crashed'));
    const [message] = (await within(START_TIMEOUT_MS, 'Starting the embedded database', once(worker, 'message'))) as [
      FromWorker,
    ];
    if (message.type === 'failed') {
      throw new PosternError(
        'database_unavailable',
        `The embedded database in ${this.#data.dataDir} cannot start: ${message.message}`,
      );
    }
    worker.once('exit', () => void this.#restart());
  }

  async #restart(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await pause(RESTART_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      try {
        await this.start();
        this.#log.info('the embedded database runs again');
        return;
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'the embedded database does not start');
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const worker = this.#worker;
    if (!worker || worker.threadId === -1) return;
    const exited = once(worker, 'exit');
    worker.postMessage({ type: 'stop' } satisfies ToWorker);
    await within(STOP_TIMEOUT_MS, 'Stopping the embedded database', exited).catch(() => undefined);
    await worker.terminate();
  }
}
