import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SecretFile extends Disposable {
  /** To be inherited by a child, which reads it as /dev/fd/N. */
  readonly descriptor: number;
}

/** A file without a name, which only who holds its descriptor can read: for a child that must not get a secret on its command line. */
export function secretFile(text: string): SecretFile {
  const directory = mkdtempSync(join(tmpdir(), 'postern-'));
  try {
    const path = join(directory, 'secret');
    const descriptor = openSync(path, 'wx+', 0o600);
    rmSync(path);
    // At a position, so that a child which shares ours begins to read at 0.
    writeSync(descriptor, text, 0, 'utf8');
    return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
