import { type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { messageOf, PosternError } from '../lib/errors.ts';

/** A program that a command ran for the person is over, not well: the command ends as it did, and has nothing to add. */
export class ProgramEnded extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`The program ended with ${exitCode}.`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program in the foreground. Ctrl-C is its to understand; what else asks us to end is passed on.
 * Rejects with ProgramEnded unless it ends with 0.
 */
export async function runProgram(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const ignore = () => {};
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', pass).on('SIGHUP', pass);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode, signal) => resolve(exitCode ?? 128 + constants.signals[signal ?? 'SIGTERM']));
    });
    if (code !== 0) throw new ProgramEnded(code);
  } catch (cause) {
    if (cause instanceof ProgramEnded) throw cause;
    throw new PosternError('request_invalid', `${command} could not be run: ${messageOf(cause)}.`, { cause });
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', pass).off('SIGHUP', pass);
  }
}
