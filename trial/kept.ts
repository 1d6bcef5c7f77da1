import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The text kept in a file; made and kept (mode 0600) the first time. */
export function kept(path: string, make: () => string): string {
  const text = readIfThere(path);
  if (text !== undefined) return text;
  const fresh = make();
  replace(path, fresh);
  return fresh;
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all: whoever reads it, or starts after a crash, finds the old text or the new one. */
export function replace(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
