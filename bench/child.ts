import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from './setup.ts';

/** How long a child may take to say that it is ready. */
const READY_MS = 30_000;
/** How long a child may take to end after SIGTERM before it is killed. */
const STOP_MS = 5_000;
/** Output kept of each child, to be shown when it fails; the oldest goes first. */
const MAX_OUTPUT_CHARS = 64_000;

const alive = new Set<ChildProcess>();
// The last net: whatever path this process leaves by, no child outlives it.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it printed so far, both streams together. */
  output(): string;
}

export interface Start extends SpawnOptions {
  /** The child is ready when its output matches; group 1 of the match is of interest to the caller. */
  readonly ready?: RegExp;
  readonly signal: AbortSignal;
}

/** Starts a child and waits until it is ready. Disposing stops it, by its pid. */
export async function startChild(
  command: string,
  args: readonly string[],
  start: Start,
): Promise<Child & { readonly match: string | undefined }> {
  const { ready, signal, ...options } = start;
  const name = command.split('/').at(-1) ?? command;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  let output = '';
  const started = Promise.withResolvers<string | undefined>();
  const fail = (why: string) => started.reject(new BenchError(`${name} ${why}${output && `:\n${output.trim()}`}`));
  const read = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
    const match = ready?.exec(output);
    if (match) started.resolve(match[1]);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  child.once('error', (error) => {
    alive.delete(child);
    fail(`did not start (${error.message})`);
  });
  child.once('exit', (code, by) => fail(`ended early (${by ?? `exit code ${code}`})`));
  const timer = setTimeout(() => fail(`was not ready within ${READY_MS / 1000} s`), READY_MS);
  const aborted = () => fail('was interrupted');
  signal.addEventListener('abort', aborted, { once: true });
  if (!ready) child.once('spawn', () => started.resolve(undefined));
  try {
    const match = await started.promise;
    if (child.pid === undefined) throw new BenchError(`${name} has no pid`);
    return {
      pid: child.pid,
      process: child,
      match,
      output: () => output,
      [Symbol.asyncDispose]: () => stopChild(child),
    };
  } catch (error) {
    await stopChild(child);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (!alive.has(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** Runs a command to its end and gives its stdout; throws with its stderr unless it exits with 0. */
export async function runToEnd(command: string, args: readonly string[], start: Omit<Start, 'ready'>): Promise<string> {
  const { signal, ...options } = start;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  alive.add(child);
  child.once('close', () => alive.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code] = await once(child, 'close');
    signal.throwIfAborted();
    if (code !== 0) throw new BenchError(`${command} failed (${code}):\n${stderr || stdout}`);
    return stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new BenchError(
        `${command} is not installed. On Debian: apt-get install wrk nginx-light openssh-server postgresql`,
      );
    }
    throw error;
  } finally {
    alive.delete(child);
    signal.removeEventListener('abort', stop);
  }
}
