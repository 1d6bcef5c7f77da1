import { existsSync } from 'node:fs';

/** What to say where a test cannot run: false when all of these are there. */
export function missing(files: readonly string[], packages: string): string | false {
  const absent = files.filter((file) => !existsSync(file));
  return absent.length > 0 && `${absent.join(', ')} missing; on Debian: apt-get install ${packages}`;
}

/** The same for a program that `npm test` installs from npm. */
export function notInstalled(file: string): string | false {
  return !existsSync(file) && `${file} missing; npm test installs it where the npm registry can be reached`;
}
