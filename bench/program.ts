import { BenchError } from './setup.ts';

/**
 * Runs a program of the bench to its end. A signal stops it with all that it started; what went wrong is said in a line,
 * with `usage` where it is the words of the command line.
 */
export async function runProgram(usage: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
  try {
    await work(interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) process.stderr.write('Interrupted; everything that was started is stopped.\n');
    else if (error instanceof BenchError) process.stderr.write(`No result: ${error.message}\n`);
    else if (error instanceof TypeError && 'code' in error) process.stderr.write(`${error.message}\n${usage}\n`);
    else throw error;
    process.exitCode = 1;
  }
}
