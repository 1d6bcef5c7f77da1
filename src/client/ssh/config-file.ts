import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile, writePrivateFile } from '../private-file.ts';

export interface WrittenConfig {
  /** Holds the hosts. */
  readonly file: string;
  /** The person's own, which includes it. */
  readonly including: string;
}

/**
 * Writes the block to a file of its own below `.ssh` of this home, and one Include of it at the top of `.ssh/config`
 * unless it is there. The rest of that file stays as it is.
 */
export function writeSshConfig(block: string, profile: string, home: string): WrittenConfig {
  const directory = join(home, '.ssh');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'postern', `${profile}.conf`);
  if (readTextFile(file) !== block) writePrivateFile(file, block);
  const including = join(directory, 'config');
  const text = readTextFile(including) ?? '';
  const include = `Include "${join(directory, 'postern')}/*.conf"`;
  // Below a Host line it would hold for that host alone.
  if (!text.split(/\r?\n/).includes(include)) replace(including, `${include}\n${text === '' ? '' : `\n${text}`}`);
  return { file, including };
}

/** With its permissions, and through a link: many keep this file elsewhere. */
function replace(path: string, text: string): void {
  const there = existsSync(path);
  const real = there ? realpathSync(path) : path;
  const mode = there ? statSync(real).mode & 0o777 : 0o600;
  writePrivateFile(real, text);
  if (mode !== 0o600) chmodSync(real, mode);
}
