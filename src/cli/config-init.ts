import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, PosternError } from '../lib/errors.ts';
import { startingFiles } from './starting-files.ts';

/** Writes a complete set of files to begin with; all of them or, when one is there already, none. Returns their paths. */
export function configInit(directory: string): string[] {
  const files = Object.entries(startingFiles()).map(([name, text]) => ({ path: join(directory, name), text }));
  const taken = files.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (taken.length > 0)
    throw new PosternError(
      'config_invalid',
      `Nothing was written, since there is already: ${taken.join(', ')}. Choose another directory with --dir.`,
    );
  for (const { path, text } of files) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    } catch (cause) {
      throw new PosternError('config_invalid', `${path} could not be written: ${messageOf(cause)}`, { cause });
    }
  }
  return files.map(({ path }) => path);
}
