// `npm test`: installs what tests need, checks what can be known without running, then runs every test.
// `npm test -- --only unit|e2e` or `npm test -- FILE…` runs a part.
import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installNpmPrograms } from './npm-programs.ts';
import { staticSteps } from './static-steps.ts';
import { root, run } from './step.ts';
import { requireSystemPackages } from './system-packages.ts';

/** Two test files at once: they start databases and browsers, and two cores is what a small machine has. */
const CONCURRENCY = 2;
/** A test that takes longer hangs, also on a busy machine. The slowest kill a relay many times over. */
const TEST_TIMEOUT_MS = 600_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' } },
});
if (values.only !== undefined && values.only !== 'unit' && values.only !== 'e2e') {
  process.stderr.write('--only takes `unit` or `e2e`.\n');
  process.exit(2);
}

if (values.only !== 'unit' && positionals.length === 0) {
  await requireSystemPackages();
  installNpmPrograms();
}
if (positionals.length === 0) await staticSteps();

const files = positionals.length > 0 ? positionals : chosen(values.only);
if (files.length === 0) {
  process.stderr.write('== FAILED: no test file was found\n');
  process.exit(1);
}
process.stderr.write(`\n== Tests (${files.length} files)\n`);
// The runner's summary is the last thing to read.
process.exitCode = await run(process.execPath, [
  '--test',
  `--test-concurrency=${CONCURRENCY}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--test-reporter=spec',
  ...files,
]);

function chosen(only: 'unit' | 'e2e' | undefined): string[] {
  const all = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const isEndToEnd = (file: string) => /^test\/(?:e2e|apps)\//.test(file);
  if (only === 'e2e') return all.filter(isEndToEnd);
  if (only === 'unit') return all.filter((file) => !isEndToEnd(file));
  return all;
}
