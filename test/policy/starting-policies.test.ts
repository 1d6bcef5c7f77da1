import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPolicy, loadPolicy } from '../../src/policy/load-policy.ts';
import { readPolicyTestFiles } from '../../src/policy/policy-files.ts';
import { runPolicyTests } from '../../src/policy/policy-tests.ts';
import { checkOf, ISSUER, METRICS, person, policyOf, resource, WIKI } from './fixtures.ts';

const directory = fileURLToPath(new URL('../../policies', import.meta.url));
const surroundings = { resources: [WIKI, METRICS, resource('echo')], issuer: ISSUER };

test('the starting policies pass their own tests', () => {
  const loaded = loadPolicy(directory, surroundings);
  assert.deepEqual(loaded.warnings, []);
  const report = runPolicyTests(readPolicyTestFiles(directory), loaded, surroundings);
  assert.deepEqual(report.failures, []);
  assert(report.passed >= 7);
});

test('a test that does not hold is reported at its place', () => {
  const loaded = loadPolicy(directory, surroundings);
  const text =
    'tests:\n  - { groups: [contractors], resource: wiki, expect: allow }\n  - { resource: wki, expect: deny }\n';
  assert.deepEqual(runPolicyTests([{ file: 'x.test.yaml', text }], loaded, surroundings), {
    passed: 0,
    failures: [
      'x.test.yaml:2:5: expected allow, got deny by no_rule_matched',
      'x.test.yaml:3:5: there is no resource "wki"',
    ],
  });
});

test('who is denied metrics hears for whom it is', () => {
  const { policy } = loadPolicy(directory, surroundings);
  const bob = person({ groups: ['employees', 'sales'] });
  assert.equal(policy.decide(checkOf(bob, '/', 'GET', METRICS)).message, 'Metrics is for the engineering team.');
});

test('tests about services', () => {
  const loaded = policyOf(`rules:
  - { id: ci, effect: allow, who: [service:ci], what: [resource:wiki] }`);
  const tests = `tests:
  - { service: ci, resource: wiki, expect: allow, rule: ci }
  - { service: monitor, resource: wiki, expect: deny }
  - { service: ci, groups: [employees], resource: wiki, expect: deny }
`;
  assert.deepEqual(runPolicyTests([{ file: 'x.test.yaml', text: tests }], loaded, surroundings), {
    passed: 2,
    failures: ['x.test.yaml:4:5: a service has neither "person" nor "groups"'],
  });
});

test('tests about strangers', () => {
  const yaml = `rules:
  - { id: hooks, effect: allow, who: [anyone], what: [resource:wiki], methods: [POST], paths: [/hooks/*] }`;
  const hooks = buildPolicy([{ file: 'policy.yaml', text: yaml }], surroundings);
  const text = `tests:
  - { stranger: true, resource: wiki, method: POST, path: /hooks/git, expect: allow, rule: hooks }
  - { stranger: true, resource: wiki, path: /, expect: deny }
  - { stranger: true, groups: [employees], resource: wiki, expect: deny }
`;
  assert.deepEqual(runPolicyTests([{ file: 'x.test.yaml', text }], hooks, surroundings), {
    passed: 2,
    failures: ['x.test.yaml:4:5: a stranger has neither "person" nor "groups" nor "service"'],
  });
});
