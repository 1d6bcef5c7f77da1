import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check } from '../../src/domain/decision.ts';
import { NO_PATH } from '../../src/domain/request-path.ts';
import { person, policyOf, resource, verdict } from './fixtures.ts';

const db = resource('db', { protocol: 'tcp', tags: ['internal'] });
const wiki = resource('wiki', { tags: ['internal'] });
const alice = person({ groups: ['engineering'] });

function connecting(): Check {
  return { principal: alice, resource: db, action: { kind: 'tcp', method: 'CONNECT', path: NO_PATH } };
}

test('who may see pages of web apps may not connect to what has none', () => {
  for (const paths of ['/', '/**', '/*', '/status']) {
    const rule = `{ id: pages, effect: allow, who: [provider:engineering], what: ["tag:internal"], paths: ["${paths}"] }`;
    const { policy } = policyOf(`rules: [${rule}]`, [db, wiki]);
    assert.equal(verdict(policy, connecting()), 'deny no_rule_matched', paths);
    assert.equal(policy.mayReach(alice, db), false, paths);
    assert.equal(policy.mayReach(alice, wiki), true, paths);
  }
});

test('who is denied all pages connects no more than before', () => {
  const allow = '{ id: all, effect: allow, who: [provider:engineering], what: [any-resource] }';
  const deny = '{ id: none, effect: deny, who: [provider:engineering], what: [any-resource], paths: ["/**"] }';
  assert.equal(verdict(policyOf(`rules: [${allow}]`, [db]).policy, connecting()), 'allow all');
  assert.equal(verdict(policyOf(`rules: [${allow}, ${deny}]`, [db]).policy, connecting()), 'deny none');
});
