// `npm run pack [-- DIRECTORY]`: the package as it is published, into DIRECTORY (default: here). Node runs no TypeScript
// under node_modules, so types are stripped into dist/ first.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { buildConsole } from './console-build.ts';
import { root, step } from './step.ts';

/** Relative specifiers of static and dynamic imports; other texts that end in `.ts` stay. */
const RELATIVE_IMPORT = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;

/** src/ without types in dist/, at the same depth: files beside src/ are found by the same relative paths. */
function strip(): void {
  const source = join(root, 'src');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const file of globSync('**/*.ts', { cwd: source })) {
    const code = stripTypeScriptTypes(readFileSync(join(source, file), 'utf8'));
    const target = join(root, 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code.replace(RELATIVE_IMPORT, '$1$2$3.js$2'));
  }
}

await buildConsole();
strip();
const destination = resolve(process.argv[2] ?? '.');
mkdirSync(destination, { recursive: true });
await step('Package (npm pack)', 'npm', ['pack', '--pack-destination', destination, '--loglevel', 'error']);
// Left behind it would grow old and be taken for the sources.
rmSync(join(root, 'dist'), { recursive: true });
