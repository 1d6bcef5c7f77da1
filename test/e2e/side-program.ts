import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from '../../src/lib/wait.ts';

/** A program of this directory in a process of its own, which ends with us. Its first line on stdout says that it is ready. */
export interface SideProgram extends AsyncDisposable {
  readonly ready: string;
}

const LEASH = new URL('../../trial/leash.ts', import.meta.url).href;
const LIMIT_MS = 10_000;

export async function startSideProgram(
  file: string,
  args: string[],
  prefix: readonly string[] = [],
): Promise<SideProgram> {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, '--import', LEASH, program, ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [ready] = (await within(
    LIMIT_MS,
    `starting ${file}`,
    once(createInterface({ input: child.stdout }), 'line'),
  )) as [string];
  return {
    ready,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
