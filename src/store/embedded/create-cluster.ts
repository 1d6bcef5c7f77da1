import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, PosternError } from '../../lib/errors.ts';

/** Seconds on a fast disk. */
const CREATE_TIMEOUT_MS = 60_000;

/**
 * Creates the files of the embedded database unless they are there; the caller holds the lock of the directory above. In a
 * process of its own, since creating takes several hundred MB that a thread would leave behind; and aside, so that a process
 * that dies in the middle leaves nothing that looks like a database.
 */
export async function createCluster(dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  const above = dirname(dataDir);
  const aside = `${basename(dataDir)}.new-`;
  for (const name of await readdir(above)) {
    if (name.startsWith(aside)) await rm(join(above, name), { recursive: true, force: true });
  }
  const directory = await mkdtemp(join(above, aside));
  try {
    await createIn(directory);
    await rename(directory, dataDir);
  } catch (cause) {
    await rm(directory, { recursive: true, force: true });
    throw new PosternError(
      'database_unavailable',
      `The embedded database in ${dataDir} could not be created: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function createIn(directory: string): Promise<void> {
  const file = new URL(
    import.meta.url.endsWith('.ts') ? './create-process.ts' : './create-process.js',
    import.meta.url,
  );
  const child = fork(file, [directory], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), CREATE_TIMEOUT_MS);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${killedBy ?? `exit code ${code}`}. ${said.trim()}`.trim());
}
