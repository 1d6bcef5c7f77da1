import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('SECURITY.md names only tests that exist', () => {
  const text = readFileSync(`${root}/SECURITY.md`, 'utf8');
  const named = [...text.matchAll(/`?(test\/(?:[a-z]+\/)+(?:\{[a-z,-]+\}|[a-z-]+|\*))/g)].flatMap(
    ([, pattern = '']) => {
      const [, folder = '', names = ''] = /^(test(?:\/[a-z]+)+)\/\{(.+)\}$/.exec(pattern) ?? [];
      return names === '' ? [pattern] : names.split(',').map((name) => `${folder}/${name}`);
    },
  );
  assert.ok(named.length > 25, `${named.length} tests are named`);
  for (const pattern of named)
    assert.ok(globSync(`${pattern}.test.ts`, { cwd: root }).length > 0, `${pattern}.test.ts does not exist`);
});
