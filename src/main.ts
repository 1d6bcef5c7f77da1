#!/usr/bin/env node
/** Explicit resource management (`await using`) came with it; an older Node could not even read the other files. */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `Postern needs Node ${OLDEST_NODE} or later; this is ${process.versions.node}. The package brings one along: run it by npx postern, or as node_modules/.bin/node node_modules/postern/dist/main.js\n`,
  );
  process.exitCode = 1;
} else {
  const { keepYoungGenerationSmall } = await import('./lib/young-generation.ts');
  keepYoungGenerationSmall();
  const { runCommandLine } = await import('./cli/command-line.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
}
