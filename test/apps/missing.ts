import { existsSync } from 'node:fs';

/** What to say where a test cannot run: false when all of these are there. */
export function missing(files: readonly string[], packages: string): string | false {
  const absent = files.filter((file) => !existsSync(file));
  return absent.length > 0 && `${absent.join(', ')} missing; on Debian: apt-get install ${packages}`;
}
