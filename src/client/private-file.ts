import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomToken } from '../lib/bytes.ts';

/** Readable by this user only; replaced whole, so that a crash leaves the old file or the new one. */
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

/** undefined when there is no such file. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeBeside(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomToken(9)}.new`;
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  return temporary;
}
