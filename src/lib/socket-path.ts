import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PosternError } from './errors.ts';

/** Paths of Unix sockets hold about 104 bytes. */
const MAX_BYTES = 100;

export interface SocketPath extends AsyncDisposable {
  /** Names the socket while not disposed. */
  readonly path: string;
}

/** A path to `name` in `directory` that is short enough for a Unix socket. On Linux a long one leads through an open descriptor. */
export async function openSocketPath(directory: string, name: string): Promise<SocketPath> {
  const plain = join(directory, name);
  if (Buffer.byteLength(plain) <= MAX_BYTES) return { path: plain, [Symbol.asyncDispose]: () => Promise.resolve() };
  if (process.platform !== 'linux')
    throw new PosternError('config_invalid', `The path ${plain} is too long for a socket. Choose a shorter dataDir.`);
  const handle = await open(directory, 'r');
  return { path: `/proc/self/fd/${handle.fd}/${name}`, [Symbol.asyncDispose]: () => handle.close() };
}

/** Does somebody listen there? Whatever is no refusal counts, such as the full queue of a process that is frozen. */
export function isListenedAt(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
