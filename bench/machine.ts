import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import type { SetupName } from './setup.ts';

/** What a number means nothing without. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly system: string;
  /** Load average of the last minute when the bench began; above 0.5 something else ran just before. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** How each program says its version, and where in its words it stands. */
const VERSIONS = {
  wrk: { flag: '-v', pattern: /wrk (\S+)/ },
  nginx: { flag: '-v', pattern: /nginx\/(\S+)/ },
  ssh: { flag: '-V', pattern: /OpenSSH_([^\s,]+)/ },
} as const;

export async function describeMachine(setups: readonly SetupName[]): Promise<Machine> {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const name of ['wrk', 'nginx', 'ssh'] as const) {
    if (name === 'wrk' || setups.includes(name)) versions[name] = await versionOf(name, VERSIONS[name]);
  }
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    loadBefore: loadavg()[0] ?? Number.NaN,
    versions,
  };
}

async function versionOf(command: string, { flag, pattern }: { flag: string; pattern: RegExp }): Promise<string> {
  // wrk -v ends with 1, nginx and ssh print on stderr: any way of ending will do.
  const words = await promisify(execFile)(command, [flag]).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}`,
  );
  return pattern.exec(words)?.[1] ?? 'unknown';
}
