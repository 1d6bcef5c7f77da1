import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withoutOuterNpm } from '../../tools/npm-programs.ts';

const run = promisify(execFile);
const RESOLVE = new URL('./resolve-localhost.ts', import.meta.url).href;

/** `npm` in a directory of its own, for one registry and with a token as that registry's. */
export interface NpmProject {
  readonly directory: string;
  readonly registry: string;
  readonly token: string;
  /** package.json. */
  readonly manifest: object;
}

export async function npm({ directory, registry, token, manifest }: NpmProject, ...args: string[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  const authority = registry.replace(/^http:/, '');
  writeFileSync(join(directory, '.npmrc'), `registry=${registry}/\n${authority}/:_authToken=${token}\n`);
  // A home of its own: no cache in common, so what is installed has come from the registry.
  const env = { ...withoutOuterNpm(process.env), HOME: directory, NODE_OPTIONS: `--import=${RESOLVE}` };
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=0', '--no-update-notifier'];
  await run('npm', [...args, ...quiet], { cwd: directory, env, timeout: 60_000 });
}
