import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChromium } from './chromium.ts';
import { type CommandLine, signInCommandLine } from './command-line.ts';
import { createNamespace, type Namespace } from './netns.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LIMIT_MS = 60_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** The agent's network and the people's, each able only to dial out, and an installation between them. */
export interface TwoNetworks extends AsyncDisposable {
  /** Of the agent. */
  readonly there: Namespace;
  /** Of the people. */
  readonly here: Namespace;
  readonly world: World;
  /** An employee. */
  readonly alice: CommandLine;
  /** Nobody in particular. */
  readonly eve: CommandLine;
  readonly auditor: CommandLine;
  /** Runs a program in the people's network, as that person. */
  readonly run: (person: CommandLine, ...words: string[]) => Promise<Ran>;
  /** So runs `postern`. */
  readonly postern: (person: CommandLine, ...words: string[]) => Promise<Ran>;
  /** `postern` in the people's network, until it ends or all of this does. Nobody writes to it. */
  start(person: CommandLine, ...words: string[]): ChildProcess;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `prepare` starts what stands in the agent's network, to end with it, and says the rest of the installation. */
export async function startTwoNetworks(
  prepare: (there: Namespace, held: AsyncDisposableStack) => Promise<Omit<WorldOptions, 'namespace'>>,
): Promise<TwoNetworks> {
  await using undo = new AsyncDisposableStack();
  const there = undo.use(await createNamespace());
  const here = undo.use(await createNamespace());
  const world = undo.use(await startWorld({ ...(await prepare(there, undo)), namespace: there }));
  await here.leadOut(world.port);
  const chromium = undo.use(await startChromium());
  const person = async (name: string) => signInCommandLine(world, await chromium.person(), name);
  const people = { alice: await person('alice'), eve: await person('eve'), auditor: await person('audrey') };

  async function run({ env }: CommandLine, ...words: string[]): Promise<Ran> {
    const [command = '', ...args] = [...here.prefix, ...words];
    try {
      return {
        code: 0,
        ...(await promisify(execFile)(command, args, { env, timeout: LIMIT_MS, maxBuffer: MAX_BYTES })),
      };
    } catch (error) {
      return error as Ran;
    }
  }

  const held = undo.move();
  return {
    there,
    here,
    world,
    ...people,
    run,
    postern: (who, ...words) => run(who, process.execPath, MAIN, ...words),
    start({ env }, ...words) {
      const [command = '', ...args] = [...here.prefix, process.execPath, MAIN, ...words];
      const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = once(child, 'exit');
      held.defer(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      return child;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
