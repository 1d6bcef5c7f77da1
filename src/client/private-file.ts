import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomToken } from '../lib/bytes.ts';
import { messageOf, PosternError } from '../lib/errors.ts';

/** Readable by this user only; replaced whole, so that a crash leaves the old file or the new one. Throws `config_invalid`. */
export function writePrivateFile(path: string, text: string): void {
  const whole = writeBeside(path, text);
  try {
    renameSync(whole, path);
  } catch (error) {
    rmSync(whole, { force: true });
    throw error;
  }
}

/** The same where nothing is yet; else what is there stays. */
export function writePrivateFileOnce(path: string, text: string): void {
  const whole = writeBeside(path, text);
  try {
    linkSync(whole, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

/** undefined when there is no such file. Throws `config_invalid` for one that this user may not read. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refused('read', path, error);
  }
}

function writeBeside(path: string, text: string): string {
  const temporary = `${path}.${randomToken(9)}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw refused('written', path, error);
  }
  return temporary;
}

function refused(verb: 'read' | 'written', path: string, error: unknown): PosternError {
  return new PosternError(
    'config_invalid',
    `${path} cannot be ${verb}: ${messageOf(error)}. Run this as the user whose file it is; POSTERN_CONFIG_DIR names another place for profiles.`,
    { cause: error },
  );
}
