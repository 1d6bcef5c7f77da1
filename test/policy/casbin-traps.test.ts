import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newEnforcer, newModelFromString } from 'casbin';
import { CandidateEnforcer, loadModelText, newModel } from '../../src/policy/casbin-model.ts';
import { checkOf, person, policyOf, verdict } from './fixtures.ts';

/** What Casbin does by itself, seen here so that an upgrade that changes it is noticed; and what Postern does about it. */

const request = { subjects: new Set(['s']), objects: new Set(['o']), method: 'GET', where: [''] };

test('an effect other than allow and deny is ignored by Casbin, so it never reaches it', () => {
  const enforcer = new CandidateEnforcer(newModel(loadModelText()));
  const lines = (effect: string) => [
    ['s', 'o', '*', '*', 'allow', 'a'],
    ['s', 'o', '*', '*', effect, 'b'],
  ];
  assert.equal(enforcer.allows(lines('deny'), request), false);
  assert.equal(enforcer.allows(lines('Deny'), request), true);
  assert.equal(enforcer.allows(lines('require'), request), true);
  for (const effect of ['Deny', 'DENY', 'require', ''])
    assert.throws(() =>
      policyOf(`rules: [{ id: a, effect: "${effect}", who: [anyone-signed-in], what: [any-resource] }]`),
    );
});

test('an empty set of lines allows nobody, and lines do not outlive their evaluation', () => {
  const enforcer = new CandidateEnforcer(newModel(loadModelText()));
  assert.equal(enforcer.allows([], request), false);
  assert.equal(enforcer.allows([['s', 'o', '*', '*', 'allow', 'a']], request), true);
  assert.equal(enforcer.allows([], request), false);
  assert.throws(() => enforcer.allows([['s', 'o', '*', 'no-slash', 'allow', 'a']], request));
  assert.equal(enforcer.allows([], request), false);
});

test('an empty policy allows everyone under an effect that only looks for a deny: our model does not', async () => {
  const loose = loadModelText()
    .replace('some(where (p.eft == allow)) && ', '')
    .replace(/^m = .*$/m, 'm = true');
  const enforcer = await newEnforcer(newModelFromString(loose));
  assert.equal(await enforcer.enforce('x', 'y', 'z', 'p'), true);
  assert.equal(verdict(policyOf('rules: []').policy, checkOf(person())), 'deny no_rule_matched');
});

test('deep groups in groups count, at any depth', () => {
  const chain = Array.from({ length: 30 }, (_, at) => `  g${at}: [group:g${at + 1}]`).join('\n');
  const { policy } = policyOf(`groups:\n${chain}\n  g30: [provider:deep]
rules: [{ id: d, effect: deny, who: [group:g0], what: [any-resource] }, { id: a, effect: allow, who: [anyone-signed-in], what: [any-resource] }]`);
  assert.equal(verdict(policy, checkOf(person({ groups: ['deep'] }))), 'deny d');
  assert.equal(verdict(policy, checkOf(person())), 'allow a');
});

test('paths are no regular expressions, so none can be hostile', () => {
  const { policy } = policyOf(
    'rules: [{ id: a, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: ["/(a+)+$"] }]',
  );
  assert.equal(verdict(policy, checkOf(person(), `/${'a'.repeat(5000)}`)), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(person(), '/(a+)+$')), 'allow a');
});

test('a path with the most where and a pattern with the most where cost one comparison each', () => {
  const stars = `/${Array.from({ length: 63 }, () => '*').join('/')}/**`;
  const { policy } = policyOf(
    `rules: [{ id: a, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: ["${stars}"] }]`,
  );
  assert.equal(verdict(policy, checkOf(person(), `/${'a/'.repeat(8000)}`)), 'allow a');
  assert.throws(() =>
    policyOf(
      `rules: [{ id: a, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: ["${stars.replace('**', '*/*')}"] }]`,
    ),
  );
});

test('a deny by path is not evaded by encoding, empty where or a slash at the end; by case it is, and a warning says so', () => {
  const { policy, warnings } = policyOf(`
rules:
  - { id: d, effect: deny, who: [anyone-signed-in], what: [any-resource], paths: [/admin/**] }
  - { id: a, effect: allow, who: [anyone-signed-in], what: [any-resource] }`);
  for (const target of [
    '/admin',
    '/admin/',
    '/admin/x',
    '/%61dmin',
    '/adm%69n/x',
    '//admin',
    '/admin//x',
    '/admin%2Fx',
    '/admin;x',
  ])
    assert.equal(policy.decide(checkOf(person(), target)).effect, 'deny', target);
  assert.equal(verdict(policy, checkOf(person(), '/ADMIN')), 'allow a');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^policy\.yaml:3:\d+: .*case-sensitive/);
});
