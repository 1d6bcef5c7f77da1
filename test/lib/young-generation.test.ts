import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** A program of its own: what it sets holds for the whole process. Load comes at once and much of it lives on, as when 64 clients begin. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { growYoungGeneration, keepYoungGenerationSmall } from '${new URL('../../src/lib/young-generation.ts', import.meta.url).href}';
  const size = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 1024 / 1024;
  const load = () => {
    const living = [];
    for (let round = 0; round < 300; round += 1) {
      living[round % 30] = Array.from({ length: 10_000 }, (_, each) => ({ each }));
    }
    return living.length;
  };
  keepYoungGenerationSmall();
  load();
  const sizes = [size()];
  growYoungGeneration();
  sizes.push(size());
  load();
  sizes.push(size());
  console.log(JSON.stringify(sizes));
`;

test('the room for new objects is 1 MB until a busy process asks for 16, and stays so under load', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(stderr, '');
  // Of both halves, with what V8 counts of them at the moment.
  const [small = 0, grown = 0, loaded = 0] = JSON.parse(stdout) as number[];
  assert.ok(small <= 2, `${small} MB`);
  for (const size of [grown, loaded]) assert.ok(size > 16 && size <= 32, `${size} MB`);
});
