import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyDifference } from '../../src/policy/policy-difference.ts';
import type { RuleSet } from '../../src/policy/rule.ts';
import { policyOf } from './fixtures.ts';

const RULES = `
groups:
  writers:
    - person:ann@example.com
rules:
  - id: writers-write
    effect: allow
    who: [group:writers]
    what: [resource:wiki]
    methods: [GET, PUT]
  - id: everyone-reads
    effect: allow
    who: [anyone-signed-in]
    what: [resource:wiki]
    methods: [GET]
`;

/** What the database gives back: the same values, keys in an order of its own. */
function kept(ruleSet: RuleSet): RuleSet {
  return JSON.parse(JSON.stringify(ruleSet), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toReversed())
      : value,
  );
}

test('A relay that starts again with the same rules has changed none of them', () => {
  const { ruleSet } = policyOf(RULES);
  assert.deepEqual(policyDifference(kept(ruleSet), ruleSet), []);
});

test('Of changed rules each is named once, and no other', () => {
  const before = kept(policyOf(RULES).ruleSet);
  const changed = policyOf(RULES.replace('[GET, PUT]', '[GET]').replace('ann@', 'bea@')).ruleSet;
  assert.deepEqual(policyDifference(before, changed), ['~ rule writers-write', '~ group writers']);

  const added = policyOf(RULES.replace('id: everyone-reads', 'id: all-read')).ruleSet;
  assert.deepEqual(policyDifference(before, added), ['+ rule all-read', '- rule everyone-reads']);
});

test('The order of rules alone is a change, too', () => {
  const { ruleSet } = policyOf(RULES);
  const turned = { ...ruleSet, rules: ruleSet.rules.toReversed() };
  assert.deepEqual(policyDifference(kept(ruleSet), turned), ['~ order of rules']);
});
