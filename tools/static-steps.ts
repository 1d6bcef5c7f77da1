import { existsSync } from 'node:fs';
import { buildConsole } from './console-build.ts';
import { bin, root, step } from './step.ts';

/** Everything that can be known without running the product. */
export async function staticSteps(): Promise<void> {
  await step('Formatting (biome)', bin('biome'), ['check', '.']);
  await step('Lint (oxlint, type-aware)', bin('oxlint'), ['--type-aware']);
  await step('Types', bin('tsc'), ['-p', '.']);
  if (existsSync(`${root}web/tsconfig.json`)) await step('Types of the console', bin('tsc'), ['-p', 'web']);
  await buildConsole();
}
