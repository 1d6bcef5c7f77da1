import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { bin, root, step } from './step.ts';

/** What the built console depends on: its sources, the types it takes from src/ (erased, so not those), and the packages. */
const SOURCES = ['web/**', 'package-lock.json'];
const STAMP = `${root}web/dist/.sources`;

/** Builds web/ into web/dist, unless it is already what these sources give. */
export async function buildConsole(): Promise<void> {
  if (!existsSync(`${root}web/index.html`)) return;
  const hash = hashOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return;
  await step('Console (vite build)', bin('vite'), ['build', 'web', '--logLevel', 'warn']);
  writeFileSync(STAMP, hash);
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: root, exclude: ['web/dist/**', '**/node_modules/**'] });
  for (const file of files.sort()) {
    const path = `${root}${file}`;
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}
