import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { hasCode, PosternError } from '../../lib/errors.ts';
import { openSocketPath } from '../../lib/socket-path.ts';
import { bindPath } from '../connect/socket-file.ts';
import { upDirectory } from './remembered-ports.ts';

const ANSWER_MS = 1000;
const MAX_ANSWER = 200;

/**
 * One process at a time holds the ports of a profile. The others are told which one, by itself: a socket that answers
 * cannot be left over from a process that is gone. Rejects with `request_invalid`.
 */
export async function holdProfile(profile: string, env: NodeJS.ProcessEnv): Promise<AsyncDisposable> {
  const directory = upDirectory(env);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  const { path } = undo.use(await openSocketPath(directory, `${profile}.sock`));
  const since = new Date().toISOString();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`process ${process.pid} since ${since}`);
  });
  try {
    await bindPath(server, path);
  } catch (error) {
    if (!hasCode(error, 'request_invalid')) throw error;
    const who = await holder(path);
    if (who === undefined) throw error;
    throw new PosternError('request_invalid', `The ports of ${profile} are held by ${who}. End that one first.`);
  }
  server.unref();
  undo.defer(() => new Promise((resolve) => server.close(() => resolve())));
  return undo.move();
}

function holder(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path).setEncoding('utf8').setTimeout(ANSWER_MS);
    socket.on('data', (text: string) => {
      said = (said + text).slice(0, MAX_ANSWER);
    });
    socket.on('timeout', () => socket.destroy()).on('error', () => {});
    socket.on('close', () => resolve(/^process \d+ since [\w:.-]+$/.test(said) ? said : undefined));
  });
}
