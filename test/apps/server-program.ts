import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { pause, within } from '../../src/lib/wait.ts';

const START_LIMIT_MS = 30_000;
/** Long enough for one that ends its own children. */
const STOP_LIMIT_MS = 15_000;

/** A server of somebody else in a process of its own; `at` is the port or socket where it answers. */
export async function startServer(
  command: string,
  args: readonly string[],
  at: number | string,
  env: NodeJS.ProcessEnv = {},
): Promise<AsyncDisposable> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-4_000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ended with code ${code}:\n${said}`)));
  });
  failed.catch(() => undefined);
  await within(START_LIMIT_MS, `starting ${command}`, Promise.race([failed, answers(at)]));
  return { [Symbol.asyncDispose]: () => stop(child) };
}

async function answers(at: number | string): Promise<void> {
  while (!(await connects(at))) await pause(50);
}

function connects(at: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(kill);
}
