import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Check, LEASE } from '../../src/domain/decision.ts';
import { NO_PATH } from '../../src/domain/request-path.ts';
import { person, policyOf, resource, verdict } from './fixtures.ts';

const db = resource('db', { protocol: 'tcp' });
const spare = resource('spare', { protocol: 'tcp' });
const alice = person({ groups: ['engineering'] });
const mallory = person({ groups: ['engineering'], boundEmail: 'mallory@example.com' });

function check(method: string, principal = alice, of = db): Check {
  return { principal, resource: of, action: { kind: 'tcp', method, path: NO_PATH } };
}

const CONNECT = `{ id: connect, effect: allow, who: [provider:engineering], what: [any-resource], message: Only here. }`;
const LEASED = `{ id: lease, effect: allow, who: [provider:engineering], what: [resource:db], methods: [LEASE] }`;
const NOT_MALLORY = `{ id: out, effect: deny, who: [person:mallory@example.com], what: [any-resource] }`;

test('a port is leased only by a rule that says so, and such a rule allows nothing else', () => {
  const { policy } = policyOf(`rules: [${CONNECT}, ${LEASED}]`, [db, spare]);
  assert.equal(verdict(policy, check(LEASE)), 'allow lease');
  assert.equal(verdict(policy, check('CONNECT')), 'allow connect');
  assert.equal(verdict(policy, check(LEASE, alice, spare)), 'deny no_rule_matched');
  const only = policyOf(`rules: [${LEASED}]`, [db, spare]).policy;
  assert.equal(verdict(only, check('CONNECT')), 'deny no_rule_matched');
});

test('who may do everything else is not told the sentence about that', () => {
  const { policy } = policyOf(`rules: [${CONNECT}]`, [db, spare]);
  assert.equal(policy.decide(check(LEASE)).message, undefined);
});

test('who is denied everything is denied leases, too', () => {
  const { policy } = policyOf(`rules: [${LEASED}, ${NOT_MALLORY}]`, [db, spare]);
  assert.equal(verdict(policy, check(LEASE)), 'allow lease');
  assert.equal(verdict(policy, check(LEASE, mallory)), 'deny out');
});

test('lists say where a leased port alone leads', () => {
  const lists = (rules: string) => {
    const { policy } = policyOf(`rules: [${rules}]`, [db, spare]);
    return [policy.mayReach(alice, db), policy.leasesOnly(alice, db)];
  };
  assert.deepEqual(lists(LEASED), [true, true]);
  assert.deepEqual(lists(`${LEASED}, ${CONNECT}`), [true, false]);
  assert.deepEqual(lists(CONNECT), [true, false]);
  const deny = (methods: string) =>
    `{ id: d, effect: deny, who: [provider:engineering], what: [resource:db], methods: [${methods}] }`;
  assert.deepEqual(lists(`${LEASED}, ${CONNECT}, ${deny('CONNECT')}`), [true, true]);
  assert.deepEqual(lists(`${LEASED}, ${CONNECT}, ${deny('LEASE')}`), [true, false]);
});
