import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../src/lib/errors.ts';
import { checkModel, loadModelText } from '../../src/policy/casbin-model.ts';

const text = loadModelText();

test('comments and spaces do not matter', () => {
  checkModel(text.replaceAll(' = ', '=').replaceAll(', ', ' ,  ').concat('\n# end\n'));
});

const typos: readonly [from: string, to: string][] = [
  ['r.sub,', 'r.subj,'],
  ['p.sub)', 'p.subj)'],
  ['r = sub', 'r = subj'],
  ['&& !some(where (p.eft == deny))', ''],
  ['!some(where (p.eft == deny))', '!some(where (p.eft == Deny))'],
  ['some(where (p.eft == allow)) && ', ''],
  ['holds(r.sub, p.sub) && ', ''],
  [' && matches(', ' || matches('],
  ['eft, rule', 'rule, eft'],
  ['[matchers]', '[matcher]'],
  ['[matchers]', '[role_definition]\ng = _, _\n[matchers]'],
  ['m = ', 'm2 = true\nm = '],
];
for (const [from, to] of typos)
  test(`a model with "${to.replaceAll('\n', ' ')}" for "${from}" is refused`, () => {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text);
    assert.throws(
      () => checkModel(changed),
      (error) => hasCode(error, 'policy_invalid'),
    );
  });
