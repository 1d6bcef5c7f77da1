import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Members of `type <name> = 'a' | 'b'` in a source file, with those of the unions of that file that it names. */
export function unionMembers(path: string, name: string): string[] {
  const source = readFileSync(join(root, path), 'utf8');
  const text = new RegExp(`type ${name} =([^;]+);`).exec(source)?.[1] ?? assert.fail(`${name} in ${path}`);
  const withoutComments = text.replace(/\/\*[^]*?\*\//g, '');
  return withoutComments.split('|').flatMap((part) => {
    const member = part.trim();
    if (member === '') return [];
    return member.startsWith("'") ? [member.slice(1, -1)] : unionMembers(path, member);
  });
}
