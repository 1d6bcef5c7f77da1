import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BrowserContext } from 'playwright-core';
import { within } from '../../src/lib/wait.ts';
import { signIn } from './chromium.ts';
import type { World } from './world.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LIMIT_MS = 30_000;

/** The `postern` command of one person who is signed in. */
export interface CommandLine {
  /** stdout of one command; rejects with its exit code (`code`) and `stderr`. */
  run(...args: string[]): Promise<string>;
  /** With it, any program that runs `postern` is this person, too. */
  readonly env: NodeJS.ProcessEnv;
  /** Records that match, newest first, with every field. */
  audit(query: string): Promise<AuditRecord[]>;
}

export interface AuditRecord {
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly resource?: string;
  readonly method?: string;
  readonly host?: string;
  readonly effect?: string;
  readonly rule?: string;
  readonly personal?: {
    readonly email?: string;
    readonly subject?: string;
    readonly issuer?: string;
    readonly groups?: readonly string[];
    readonly path?: string;
    readonly query?: string;
  };
  readonly outcome: {
    readonly end: string;
    readonly status?: number;
    readonly reason?: string;
    readonly bytesDown: number;
  } | null;
}

/** `postern login`, with the browser's part done in `context`. */
export async function signInCommandLine(world: World, context: BrowserContext, name: string): Promise<CommandLine> {
  const env = { ...process.env, POSTERN_CONFIG_DIR: join(world.directory, `cli-${name}`) };
  const login = spawn(process.execPath, [MAIN, 'login', world.relay, '--no-browser'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(login, 'exit') as Promise<[number | null]>;
  try {
    const address = await within(LIMIT_MS, 'postern login', addressIn(login.stderr));
    const page = await context.newPage();
    await page.goto(address);
    if (new URL(page.url()).hostname === 'localhost') await signIn(page, name);
    await page.click('button[value=allow]');
    await page.waitForURL((url) => url.hostname === '127.0.0.1');
    const [code] = await within(LIMIT_MS, 'postern login', ended);
    if (code !== 0) throw new Error(`postern login ended with code ${code}`);
    await page.close();
  } finally {
    login.kill('SIGKILL');
  }
  const command = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [MAIN, ...args], { env, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 })).stdout;
  return {
    run: command,
    env,
    audit: async (query) =>
      JSON.parse(await command('audit', 'search', query, '--json', '--limit', '10000')) as AuditRecord[],
  };
}

async function addressIn(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const address = /^\s*(http:\S+\/cli\/authorize\S*)/.exec(line)?.[1];
    if (address) return address;
  }
  throw new Error('postern login printed no address');
}
