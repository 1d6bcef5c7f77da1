import { spawnSync } from 'node:child_process';
import { messageOf, PosternError } from '../../lib/errors.ts';

/** The system's curl, by its own word. */
export interface CurlProgram {
  /** [7, 88] */
  readonly version: readonly [number, number];
  /** Long name → whether a value follows. */
  readonly long: ReadonlyMap<string, boolean>;
  /** Letter → long name. */
  readonly short: ReadonlyMap<string, string>;
}

const LIMIT_MS = 5_000;

/** Asks it, since each version has options of its own. Throws `request_invalid` where there is none. */
export function askCurl(): CurlProgram {
  return { version: parseVersion(run('--version')), ...parseHelp(run('--help', 'all')) };
}

/** `curl 7.88.1 (x86_64-pc-linux-gnu) …` */
export function parseVersion(text: string): [number, number] {
  const [, major, minor] = /^curl (\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

/** Lines like ` -d, --data <data>   HTTP POST data`. */
export function parseHelp(text: string): Pick<CurlProgram, 'long' | 'short'> {
  const long = new Map<string, boolean>();
  const short = new Map<string, string>();
  for (const [, letter, name = '', value] of text.matchAll(/^\s*(?:-(\S), )?--([a-z0-9][a-z0-9.-]*)( <)?/gm)) {
    long.set(name, value !== undefined);
    if (letter !== undefined) short.set(letter, name);
  }
  return { long, short };
}

function run(...args: string[]): string {
  const { stdout, error } = spawnSync('curl', args, { encoding: 'utf8', timeout: LIMIT_MS });
  if (!error) return stdout;
  throw new PosternError('request_invalid', `curl could not be run: ${messageOf(error)}. Install it first.`, {
    cause: error,
  });
}
