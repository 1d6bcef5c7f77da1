import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canonicalRecord } from '../../src/audit/canonical.ts';
import { encodeRecord, saltedHash } from '../../src/audit/record.ts';
import type { AuditEvent } from '../../src/domain/audit-event.ts';
import { Frontier } from '../../src/proof/frontier.ts';
import { leafHash } from '../../src/proof/hash.ts';

const spec = readFileSync(new URL('../../src/audit/SPEC.md', import.meta.url), 'utf8');

function block(name: string): string {
  const text = new RegExp(`\`\`\`${name}\n(.*)\n\`\`\``).exec(spec)?.[1];
  assert.ok(text !== undefined, name);
  return text;
}

test('the worked example of the specification is what the code writes', () => {
  const salt = Buffer.from(block('salt'), 'hex');
  assert.equal(saltedHash(salt, block('facts')), block('facts-hash'));
  assert.equal(saltedHash(salt, block('personal')), block('personal-hash'));
  const tree = new Frontier();
  for (const at of [0, 1]) {
    const leaf = block(`leaf-${at}`);
    const fields = JSON.parse(leaf) as AuditEvent & { v: 1; log: string; index: number; personal?: string };
    assert.equal(canonicalRecord(fields), leaf);
    assert.equal(leafHash(leaf).toString('hex'), block(`leaf-hash-${at}`));
    tree.append(leafHash(leaf));

    // Salts are random, so of the record made anew everything but that one hash is the same.
    const { v: _v, log, index, personal, ...event } = fields;
    const again = encodeRecord(
      {
        ...event,
        ...(personal === undefined ? {} : { personal: JSON.parse(block('personal')) as object }),
      } as AuditEvent,
      log,
      index,
    );
    const hash = again.salt && saltedHash(again.salt, block('personal'));
    assert.equal(again.leaf, hash === undefined ? leaf : leaf.replace(block('personal-hash'), hash));
  }
  assert.equal(tree.root().toString('hex'), block('root'));
});

test('the specification lists every kind and field that the code writes', () => {
  const accesses = readFileSync(new URL('../../src/domain/audit-event.ts', import.meta.url), 'utf8');
  const folder = new URL('../../src/domain/audit-event/', import.meta.url);
  const subjects = readdirSync(folder).filter((name) => name !== 'event-base.ts');
  const body = [
    accesses.slice(accesses.indexOf('interface AccessIntent')),
    ...subjects.map((name) => readFileSync(new URL(name, folder), 'utf8')),
  ].join('\n');
  const table = spec.slice(spec.indexOf('## Kinds'), spec.indexOf('`end` is one of'));
  const kinds = [...body.matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map((match) => match[1] ?? '');
  const fields = [...body.matchAll(/^ {2}readonly (\w+\??):/gm)].map((match) => match[1] ?? '');
  assert.ok(kinds.length >= 15 && fields.length >= 30);
  for (const kind of kinds) assert.ok(table.includes(kind), kind);
  for (const field of fields.filter((name) => name !== 'kind')) assert.ok(table.includes(field), field);
});
