import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { PosternError } from '../../lib/errors.ts';
import { isListenedAt } from '../../lib/socket-path.ts';
import { pause } from '../../lib/wait.ts';

/** Unix socket paths hold about 104 bytes; the names used below need this many. */
const LONGEST_DIRECTORY = 60;
const HOLDER = /^holder-(\d+)-[0-9a-f]+$/;
/** Two that start at once may both step back; then they try again. */
const ATTEMPTS = 5;

export interface DirectoryLock extends AsyncDisposable {
  /** Private directory for Unix sockets, short enough for their names. */
  readonly socketDirectory: string;
}

/**
 * Makes this process the only user of `directory` until disposed or dead. The lock is a listening Unix socket whose
 * file name says the holder's pid: the kernel closes it when its process dies, however that happens, and a holder that
 * is merely frozen keeps it. Each candidate shows its own socket first and looks at the others after, so of two at
 * least one sees the other. Works between network namespaces and containers of one kernel, not on network file systems.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  await using undo = new AsyncDisposableStack();
  const lockDirectory = join(directory, 'lock');
  await mkdir(lockDirectory, { recursive: true, mode: 0o700 });
  const socketDirectory = await shorten(lockDirectory, undo);

  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const name = `holder-${process.pid}-${randomBytes(4).toString('hex')}`;
    const server = await show(socketDirectory, name);
    const other = await findLiving(socketDirectory, name);
    if (other === undefined) {
      await clean(socketDirectory);
      undo.defer(() => withdraw(server, join(socketDirectory, name)));
      const held = undo.move();
      return { socketDirectory, [Symbol.asyncDispose]: () => held.disposeAsync() };
    }
    await withdraw(server, join(socketDirectory, name));
    if (attempt === ATTEMPTS - 1) {
      throw new PosternError(
        'database_unavailable',
        `The embedded database in ${directory} is in use by process ${other}. Stop it, or use another dataDir; two relays need PostgreSQL.`,
      );
    }
    await pause(20 + Math.random() * 100);
  }
  throw new PosternError('database_unavailable', `The embedded database in ${directory} is in use.`);
}

/** Listens first and takes the visible name after: a visible socket that refuses is dead, and stays dead. */
async function show(directory: string, name: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  const hidden = join(directory, `.${name}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(hidden, resolve);
  });
  server.unref();
  await rename(hidden, join(directory, name));
  return server;
}

/** Pid of another holder or candidate that lives. */
async function findLiving(directory: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(directory)) {
    const pid = HOLDER.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await isListenedAt(join(directory, name))) return pid;
    await rm(join(directory, name), { force: true });
  }
  return undefined;
}

async function withdraw(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** What crashed holders left behind: only the holder removes it. */
async function clean(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith('.s.PGSQL')) await rm(join(directory, name), { force: true });
  }
}

/** On Linux a long path has a short name through an open descriptor. */
async function shorten(directory: string, undo: AsyncDisposableStack): Promise<string> {
  if (Buffer.byteLength(directory) <= LONGEST_DIRECTORY) return directory;
  if (process.platform !== 'linux') {
    throw new PosternError(
      'config_invalid',
      `The path ${directory} is too long for Unix sockets. Choose a shorter dataDir.`,
    );
  }
  const handle = await open(directory, 'r');
  undo.defer(() => handle.close());
  return `/proc/self/fd/${handle.fd}`;
}
