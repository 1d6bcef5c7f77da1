import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('..', import.meta.url));

/** A program of node_modules/.bin: found by path, since PATH may hold another of the same name, or none. */
export function bin(name: string): string {
  return `${root}node_modules/.bin/${name}`;
}

/** Runs one step under a heading, its output passed through; ends the whole run with a clear line when it fails. */
export async function step(title: string, command: string, args: readonly string[]): Promise<void> {
  const started = performance.now();
  process.stderr.write(`\n== ${title}\n`);
  const code = await run(command, args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code !== 0) {
    process.stderr.write(`\n== FAILED: ${title} (exit code ${code}, ${seconds} s)\n`);
    process.exit(1);
  }
  process.stderr.write(`== ok: ${title} (${seconds} s)\n`);
}

/** Exit code of a program whose output goes to this terminal; 127 when it cannot be started. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    process.on('SIGTERM', pass);
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code) => {
      process.off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
