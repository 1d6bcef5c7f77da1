// Programs from npm that test/apps runs behind the gateway. They are no dependencies of Postern: each is installed once,
// without its install scripts, into a cache directory of the user's.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

interface NpmProgram {
  readonly version: string;
  /** What Node runs, in its package. */
  readonly entry: string;
  /** Package → version in place of what the program's own packages ask for. */
  readonly overrides?: Readonly<Record<string, string>>;
}

const PROGRAMS = {
  'node-red': { version: '5.0.7', entry: 'red.js' },
  // Its verdaccio-audit asks for the tag `cjs` of node-fetch, and not every registry keeps tags.
  verdaccio: { version: '6.10.4', entry: 'bin/verdaccio', overrides: { 'node-fetch': '2.7.0' } },
} satisfies Readonly<Record<string, NpmProgram>>;

export type NpmProgramName = keyof typeof PROGRAMS;

const INSTALL_LIMIT_MS = 300_000;
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'postern-tests');

/** The file that Node runs; it may not be there. */
export function npmProgram(name: NpmProgramName): string {
  return join(directoryOf(name), 'node_modules', name, PROGRAMS[name].entry);
}

/** Installs those that are missing. One that cannot be installed is said here, and by its tests, which are skipped. */
export function installNpmPrograms(): void {
  for (const name of Object.keys(PROGRAMS) as NpmProgramName[]) if (!existsSync(npmProgram(name))) install(name);
}

function install(name: NpmProgramName): void {
  const { version, overrides = {} }: NpmProgram = PROGRAMS[name];
  process.stderr.write(`\n== Installing ${name} ${version} for test/apps (npm)\n`);
  // Beside its place until it is whole.
  const directory = `${directoryOf(name)}.${process.pid}`;
  mkdirSync(directory, { recursive: true });
  const manifest = { private: true, dependencies: { [name]: version }, overrides };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: directory,
    env: withoutOuterNpm(process.env),
    stdio: ['ignore', 2, 2],
    timeout: INSTALL_LIMIT_MS,
  });
  if (status === 0) renameSync(directory, directoryOf(name));
  else {
    rmSync(directory, { recursive: true, force: true });
    process.stderr.write(`== ${name} could not be installed; npm's message is above\n`);
  }
}

/** An environment without what an npm that runs us has set, and with our Node first. */
export function withoutOuterNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(([name]) => !/^npm_/i.test(name));
  return { ...Object.fromEntries(inherited), PATH: `${dirname(process.execPath)}${delimiter}${env['PATH']}` };
}

function directoryOf(name: NpmProgramName): string {
  return join(CACHE, `${name}-${PROGRAMS[name].version}`);
}
