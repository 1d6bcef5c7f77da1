import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PosternError } from '../../lib/errors.ts';

/** File in the data directory that encrypts the secrets in the database. Relays that share a database share this file. */
export const DATA_KEY_FILE = 'data.key';

/** 32 bytes; made at the first start, readable by this user only. */
export function loadDataKey(dataDir: string): Buffer {
  const path = join(dataDir, DATA_KEY_FILE);
  const text = readIfThere(path) ?? create(dataDir, path);
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === 32) return key;
  throw new PosternError(
    'config_invalid',
    `${path} does not hold a data key (32 bytes in base64). Restore it from your backup: the keys in the database open with nothing else.`,
  );
}

/** Written aside and linked into place, so that a crash leaves no half of a key and two starts at once agree on one. */
function create(dataDir: string, path: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const text = `${randomBytes(32).toString('base64')}\n`;
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
    linkSync(aside, path);
    return text;
  } catch (cause) {
    const other = readIfThere(path);
    if (other !== undefined) return other;
    throw new PosternError(
      'config_invalid',
      `The data key ${path} cannot be written. Make ${dataDir} writable by the relay's user.`,
      { cause },
    );
  } finally {
    closeSync(file);
    rmSync(aside, { force: true });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PosternError(
      'config_invalid',
      `The data key ${path} cannot be read. Make it readable by the relay's user.`,
      { cause },
    );
  }
}
