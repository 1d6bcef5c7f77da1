import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/cli/exit-code.ts';
import { commandReference } from './command-line-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = join(root, 'docs/reference/command-line.md');
/** What follows it comes from the program. */
const MARK =
  '<!-- From here on written by: POSTERN_WRITE_REFERENCE=1 node --test test/docs/command-line.test.ts -->\n\n';

describe('docs/reference/command-line.md', () => {
  it('has every command with its arguments and options, as the program knows them', async () => {
    const page = readFileSync(file, 'utf8');
    const [head = '', commands] = page.split(MARK);
    const expected = await commandReference();
    if (process.env['POSTERN_WRITE_REFERENCE']) writeFileSync(file, head + MARK + expected);
    else assert.equal(commands, expected, 'write it anew as the page says');
    assert.ok((expected.match(/^### /gm) ?? []).length > 25);
  });

  it('has the exit codes', () => {
    const section = /^## Exit codes\n([^]*?)^## /m.exec(readFileSync(file, 'utf8'))?.[1] ?? assert.fail();
    const codes = [...section.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
    assert.deepEqual(codes, Object.values(EXIT));
  });

  it('has every variable of the environment that the program reads, and no other of ours', () => {
    const section = /^## Environment\n([^]*?)^## /m.exec(readFileSync(file, 'utf8'))?.[1] ?? assert.fail();
    const told = new Set(
      [...section.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      ),
    );
    const read = ['src/cli', 'src/client', 'src/config'].flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .flatMap((entry) => [
          ...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(/\benv(?:ironment)?\['([A-Z_]+)'\]/g),
        ])
        .map(([, name]) => name),
    );
    assert.ok(read.length > 10);
    for (const name of read) assert.ok(told.has(name), `${name} is read and not on the page`);
    for (const name of told)
      if (name?.startsWith('POSTERN_')) assert.ok(read.includes(name), `${name} is read nowhere`);
  });
});
