import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../store/databases.ts';

/** A file system of its own, in memory. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Writes until nothing more fits. */
  fill(): void;
  free(): void;
}

/** Why a small disk cannot be had here; false where it can. */
export const noSmallDisk = process.platform === 'linux' && process.getuid?.() === 0 ? false : 'only root may mount';

export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  await using undo = new AsyncDisposableStack();
  const { path } = undo.use(await temporaryDirectory());
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'postern-small-disk', path]);
  undo.defer(() => void execFileSync('umount', ['--lazy', path]));
  const filler = join(path, 'filler');
  const held = undo.move();
  return {
    path,
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (const size of [1 << 20, 4096]) {
          while (statfsSync(path).bavail * statfsSync(path).bsize >= size) writeSync(file, Buffer.alloc(size));
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
