import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../src/lib/errors.ts';
import { policyDifference } from '../../src/policy/policy-difference.ts';
import { policyOf } from './fixtures.ts';

function problemsOf(yaml: string): string[] {
  try {
    policyOf(yaml);
  } catch (error) {
    assert(hasCode(error, 'policy_invalid'));
    return error.message.split('\n').map((line) => line.replace('policy.yaml:', ''));
  }
  return [];
}

test('mistakes of shape, each at its place', () => {
  const problems = problemsOf(`rules:
  - id: Read Wiki
    efect: allow
    who: [everyone, employees, "person:alice", "role:admin"]
    what: wiki
    methods: [get, GET]
    message: ""
  - id: b
    effect: Deny
    who: []
    what: [any]
`);
  assert.deepEqual(
    problems.map((line) => line.replace(/ must be .*/, ' must be')),
    [
      '2:5: "rules[1]" lacks "effect"',
      '2:9: "rules[1].id" must be',
      '3:5: unknown key "efect" in "rules[1]" (did you mean "effect"?)',
      '4:11: "rules[1].who[1]" must be',
      '4:21: "rules[1].who[2]" must be',
      '4:32: "rules[1].who[3]" must be',
      '4:48: "rules[1].who[4]" must be',
      '5:11: "rules[1].what" must be',
      '6:15: "rules[1].methods[1]" must be',
      '7:14: "rules[1].message" must be',
      '9:13: "rules[2].effect" must be',
      '10:10: "rules[2].who" must have at least 1 entry',
      '11:12: "rules[2].what[1]" must be',
    ],
  );
});

test('references to nothing, each with a suggestion', () => {
  assert.deepEqual(
    problemsOf(`groups:
  oncall: [group:onkall2, "provider:sre"]
rules:
  - { id: a, effect: allow, who: [group:oncal], what: [resource:wikki] }
  - { id: a, effect: allow, who: [group:oncall], what: [resource:wiki] }
`),
    [
      '2:12: there is no local group "onkall2" (did you mean "oncall"?)',
      '4:35: there is no local group "oncal" under "groups" (did you mean "oncall"?)',
      '4:56: there is no resource "wikki" in the configuration (did you mean "wiki"?)',
      '5:11: the rule "a" is already in policy.yaml:4',
    ],
  );
});

test('a tag that no resource has is only a warning', () => {
  const { warnings } = policyOf('rules: [{ id: a, effect: allow, who: [anyone-signed-in], what: [tag:internl] }]');
  assert.deepEqual(warnings, ['policy.yaml:1:65: no resource has the tag "internl" (did you mean "internal"?)']);
});

test('groups that contain themselves are refused', () => {
  assert.equal(problemsOf('groups: { a: [group:b], b: [group:c], c: [group:a] }\n').length, 1);
  assert.equal(problemsOf('groups: { a: [group:a] }\n').length, 1);
});

const badPatterns = [
  'docs',
  '',
  '/a//b',
  '/a/*.png',
  '/**/a',
  '/a**',
  '/.',
  '/a/../b',
  '/%41',
  '/a?b',
  '/a#b',
  '/a;b',
  '/a\\b',
];
for (const pattern of badPatterns)
  test(`the path pattern ${JSON.stringify(pattern)} is refused at its place`, () => {
    const [problem, ...more] = problemsOf(
      `rules: [{ id: a, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: [/ok, ${JSON.stringify(pattern)}] }]`,
    );
    assert.match(problem ?? '', /^1:93: /);
    assert.deepEqual(more, []);
  });

test('a rule with too many combinations is refused', () => {
  const list = (prefix: string) => Array.from({ length: 101 }, (_, at) => `${prefix}${at}`).join(', ');
  const [problem] = problemsOf(
    `rules: [{ id: a, effect: allow, who: [${list('provider:g')}], what: [any-resource], paths: [${list('/p').split(', ').slice(0, 100).join(', ')}] }]`,
  );
  assert.match(problem ?? '', /more than 10000 combinations/);
});

test('the difference names rules and groups', () => {
  const rule = (id: string, who = 'provider:a') => `{ id: ${id}, effect: allow, who: [${who}], what: [any-resource] }`;
  const before = policyOf(`rules: [${rule('a')}, ${rule('b')}, ${rule('c')}]`).ruleSet;
  const after = policyOf(
    `groups: { g: [provider:x] }\nrules: [${rule('a')}, ${rule('c', 'provider:z')}, ${rule('d')}]`,
  ).ruleSet;
  assert.deepEqual(policyDifference(before, after), ['~ rule c', '+ rule d', '- rule b', '+ group g']);
  assert.deepEqual(policyDifference(before, before), []);
  const turned = { ...before, rules: before.rules.toReversed() };
  assert.deepEqual(policyDifference(before, turned), ['~ order of rules']);
});

test('a rule that lets in anyone must say which methods and which paths, of which resources', () => {
  const rule = (rest: string) => `rules:\n  - { id: hooks, effect: allow, who: [anyone], ${rest} }\n`;
  const problems = (rest: string) => problemsOf(rule(rest)).join();
  assert.match(problems('what: [resource:wiki], methods: [POST]'), /"methods" and which "paths"/);
  assert.match(problems('what: [resource:wiki], paths: [/hooks/**]'), /"methods" and which "paths"/);
  assert.match(problems('what: [any-resource], methods: [POST], paths: [/hooks/**]'), /not any-resource/);
  assert.equal(problems('what: [resource:wiki], methods: [POST], paths: [/hooks/**]'), '');
  assert.deepEqual(
    problemsOf(rule('what: [resource:wiki]').replace('allow', 'deny')),
    [],
    'a deny may close everything',
  );
});
