import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANONYMOUS, serviceKey } from '../../src/domain/principal.ts';
import { checkOf, ISSUER, METRICS, person, policyOf, resource, verdict, WIKI } from './fixtures.ts';

const alice = person({ boundEmail: 'alice@example.com', groups: ['employees', 'engineering'] });
const eve = person({ boundEmail: 'eve@example.com', groups: ['contractors'] });

const RULES = `
groups:
  inner: [person:Carol@example.com]
  oncall: [group:inner, provider:sre]
rules:
  - { id: wiki, effect: allow, who: [provider:employees], what: [resource:wiki], message: The wiki is for employees. }
  - { id: read-internal, effect: allow, who: [group:oncall], what: [tag:internal], methods: [GET, HEAD] }
  - { id: not-mallory, effect: deny, who: [person:mallory@example.com], what: [any-resource], message: Ask sam. }
  - { id: metrics, effect: allow, who: [provider:engineering], what: [resource:metrics], message: For engineers. }
`;

test('a group, a local group in a group, and a person', () => {
  const { policy } = policyOf(RULES);
  assert.equal(verdict(policy, checkOf(alice)), 'allow wiki');
  assert.equal(verdict(policy, checkOf(eve)), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(person({ groups: ['sre'] }))), 'allow read-internal');
  const carol = person({ boundEmail: 'carol@example.com' });
  assert.equal(verdict(policy, checkOf(carol)), 'allow read-internal');
  assert.equal(verdict(policy, checkOf(carol, '/', 'POST')), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(carol, '/', 'GET', METRICS)), 'deny no_rule_matched');
});

test('a deny wins over an allow, and says its sentence', () => {
  const { policy } = policyOf(RULES);
  const mallory = person({ boundEmail: 'mallory@example.com', groups: ['employees'] });
  const decision = policy.decide(checkOf(mallory));
  assert.deepEqual(
    [decision.effect, decision.rule, decision.reasons, decision.message],
    ['deny', 'not-mallory', ['rule_denied'], 'Ask sam.'],
  );
});

test('who is not covered hears the sentence of the rule that covers others', () => {
  const { policy } = policyOf(RULES);
  assert.equal(policy.decide(checkOf(eve)).message, 'The wiki is for employees.');
  assert.equal(policy.decide(checkOf(eve, '/', 'GET', METRICS)).message, 'For engineers.');
});

test('no rules: everything is denied', () => {
  for (const yaml of ['rules: []', 'groups: { a: [provider:b] }']) {
    const { policy } = policyOf(yaml);
    assert.equal(verdict(policy, checkOf(alice)), 'deny no_rule_matched');
    assert.equal(policy.mayReach(alice, WIKI), false);
  }
});

test('only deny rules: everything is denied', () => {
  const { policy } = policyOf('rules: [{ id: d, effect: deny, who: [provider:x], what: [any-resource] }]');
  assert.equal(verdict(policy, checkOf(alice)), 'deny no_rule_matched');
});

test('methods are exact', () => {
  const { policy } = policyOf(
    'rules: [{ id: get, effect: allow, who: [anyone-signed-in], what: [any-resource], methods: [GET] }]',
  );
  assert.equal(verdict(policy, checkOf(alice, '/', 'GET')), 'allow get');
  for (const method of ['get', 'Get', 'HEAD', 'GETX', 'GE', '*', ''])
    assert.equal(verdict(policy, checkOf(alice, '/', method)), 'deny no_rule_matched', method);
});

test('a rule without methods covers every method, also one that is spelled like the wildcard', () => {
  const { policy } = policyOf(RULES);
  for (const method of ['PROPFIND', 'get', '*'])
    assert.equal(verdict(policy, checkOf(alice, '/', method)), 'allow wiki');
});

test('a person named like a group, a subject or an e-mail is none of them', () => {
  const { policy } = policyOf(RULES);
  const impostors = [
    person({ subject: 'provider:employees', name: 'employees' }),
    person({ boundEmail: `${ISSUER} employees` }),
    person({ boundEmail: 'employees' }),
    person({
      groups: ['provider:employees', `provider:${ISSUER} employees`, `${ISSUER} employees`, 'group:oncall', 'oncall'],
    }),
    person({ groups: ['Employees', 'employees ', ' employees'] }),
    person({ groups: ['anyone-signed-in', 'carol@example.com', 'person:carol@example.com'] }),
  ];
  for (const impostor of impostors) assert.equal(verdict(policy, checkOf(impostor)), 'deny no_rule_matched');
});

test('groups and people of another issuer are nobody here', () => {
  const { policy } = policyOf(
    `${RULES}\n  - { id: all, effect: allow, who: [anyone-signed-in], what: [resource:metrics] }`,
  );
  const twin = { ...alice, issuer: 'https://other.example.com' };
  assert.equal(verdict(policy, checkOf(twin)), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(twin, '/', 'GET', METRICS)), 'deny no_rule_matched');
  const tricky = { ...alice, issuer: `${ISSUER} employees`, groups: [''] };
  assert.equal(verdict(policy, checkOf(tricky)), 'deny no_rule_matched');
});

test('only the bound e-mail counts', () => {
  const { policy } = policyOf('rules: [{ id: a, effect: allow, who: [person:A@example.com], what: [any-resource] }]');
  assert.equal(verdict(policy, checkOf(person({ boundEmail: 'a@example.com' }))), 'allow a');
  assert.equal(verdict(policy, checkOf(person({ email: 'a@example.com' }))), 'deny no_rule_matched');
});

const PATHS = `
rules:
  - { id: docs, effect: allow, who: [anyone-signed-in], what: [resource:wiki], paths: [/docs/**, /users/*/avatar, /] }
  - { id: secret, effect: deny, who: [anyone-signed-in], what: [resource:wiki], paths: [/docs/secret/**] }
`;

test('path patterns', () => {
  const { policy } = policyOf(PATHS);
  const expected: Record<string, string> = {
    '/': 'allow docs',
    '/docs': 'allow docs',
    '/docs/': 'allow docs',
    '/docs/a/b?q=/docs/secret': 'allow docs',
    '/d%6fcs/a': 'allow docs',
    '/users/42/avatar': 'allow docs',
    '/users/42/avatar/': 'allow docs',
    '/users/avatar': 'deny no_rule_matched',
    '/users/1/2/avatar': 'deny no_rule_matched',
    '/docsx': 'deny no_rule_matched',
    '/Docs/a': 'deny no_rule_matched',
    '/other': 'deny no_rule_matched',
    '/docs/secret': 'deny secret',
    '/docs/secret/': 'deny secret',
    '/docs/secret/x': 'deny secret',
    '/docs/%73ecret/x': 'deny secret',
    '/docs/secrets': 'allow docs',
  };
  for (const [target, verdictExpected] of Object.entries(expected))
    assert.equal(verdict(policy, checkOf(eve, target)), verdictExpected, target);
});

const AMBIGUOUS = [
  '/docs//secret',
  '/docs%2Fsecret',
  '/docs/secret;x',
  '/docs/%2fsecret',
  '//docs/secret',
  '/docs/secret%3Bx=1/a',
];

test('an ambiguous path is refused where a rule looks at paths', () => {
  const { policy } = policyOf(PATHS);
  for (const target of [...AMBIGUOUS, '/docs//fine', '//']) {
    const decision = policy.decide(checkOf(eve, target));
    assert.deepEqual([decision.effect, decision.reasons], ['deny', ['path_ambiguous']], target);
    assert.match(decision.message ?? '', /more than one way/);
  }
});

test('an ambiguous path goes where no rule looks at paths', () => {
  const { policy } = policyOf(RULES);
  for (const target of [...AMBIGUOUS, '/api/v4/projects/group%2Fproject', '/@scope%2fpkg', '/api/queues/%2F/q', '//'])
    assert.equal(verdict(policy, checkOf(alice, target)), 'allow wiki', target);
});

test('lenient: every reading is decided and the strictest wins', () => {
  const lenient = resource('wiki', { paths: 'lenient' });
  const { policy } = policyOf(PATHS, [lenient]);
  for (const target of [...AMBIGUOUS, '/docs/;/secret/a', '/docs/;x/secret', '/docs/;x%2Fsecret', '/docs;%2Fsecret'])
    assert.equal(policy.decide(checkOf(eve, target, 'GET', lenient)).effect, 'deny', target);
  for (const target of ['/docs//fine', '/docs/group%2Fproject', '/docs/a;v=1/b'])
    assert.equal(verdict(policy, checkOf(eve, target, 'GET', lenient)), 'allow docs', target);
  assert.equal(verdict(policy, checkOf(eve, '/other;/docs/a', 'GET', lenient)), 'deny no_rule_matched');
});

test('what was remembered for one set of facts is not given to another', () => {
  const { policy } = policyOf(RULES);
  const same = { id: 'same-id', subject: 'same-subject' };
  assert.equal(verdict(policy, checkOf(person({ ...same, groups: ['employees'] }))), 'allow wiki');
  assert.equal(verdict(policy, checkOf(person({ ...same, groups: [] }))), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(person({ ...same, groups: ['employees'] }))), 'allow wiki');
  const retagged = resource('other', { tags: ['internal'] });
  const sre = person({ groups: ['sre'] });
  assert.equal(verdict(policy, checkOf(sre, '/', 'GET', retagged)), 'allow read-internal');
  assert.equal(verdict(policy, checkOf(sre, '/', 'GET', resource('other'))), 'deny no_rule_matched');
});

test('a failure is a deny', () => {
  const { policy } = policyOf(RULES);
  // What the type system rules out, and a bug may still bring.
  const broken = { ...checkOf(alice), principal: { ...alice, groups: null } } as unknown as ReturnType<typeof checkOf>;
  assert.equal(verdict(policy, broken), 'deny policy_failed');
  assert.equal(verdict(policy, undefined as unknown as ReturnType<typeof checkOf>), 'deny policy_failed');
});

test('mayReach asks whether there is anything at all', () => {
  const { policy } = policyOf(`${PATHS}
  - { id: shut, effect: deny, who: [person:mallory@example.com], what: [any-resource] }`);
  assert.equal(policy.mayReach(eve, WIKI), true);
  assert.equal(policy.mayReach(eve, METRICS), false);
  assert.equal(policy.mayReach(person({ boundEmail: 'mallory@example.com' }), WIKI), false);
});

test('the version is the hash of what decides', () => {
  const version = (yaml: string) => policyOf(yaml).policy.version;
  assert.match(version(RULES), /^[0-9a-f]{64}$/);
  assert.equal(version(RULES), version(`# a comment\n${RULES}`));
  for (const [from, to] of [
    ['effect: deny', 'effect: allow'],
    ['provider:sre', 'provider:ops'],
    ['methods: [GET, HEAD]', 'methods: [GET]'],
    ['Ask sam.', 'Ask bob.'],
  ] as const)
    assert.notEqual(version(RULES), version(RULES.replace(from, to)), from);
});

test('only rules for anyone speak of strangers, and those speak of everyone', () => {
  const { policy } = policyOf(`rules:
  - { id: people, effect: allow, who: [anyone-signed-in], what: [any-resource] }
  - { id: hooks, effect: allow, who: [anyone], what: [resource:metrics], methods: [POST], paths: [/hooks/**] }`);
  const stranger = (target: string, method: string) => verdict(policy, checkOf(ANONYMOUS, target, method, METRICS));
  assert.equal(stranger('/hooks/git', 'POST'), 'allow hooks');
  assert.equal(stranger('/hooks/git', 'GET'), 'deny no_rule_matched');
  assert.equal(stranger('/other', 'POST'), 'deny no_rule_matched');
  assert.equal(stranger('/hooks//git', 'POST'), 'deny path_ambiguous');
  assert.equal(verdict(policy, checkOf(ANONYMOUS)), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(eve, '/x', 'GET', METRICS)), 'allow people');
});

test('a service is reached by its name and by local groups that list it, and by nothing that means people', () => {
  const ci = person({ kind: 'service', ...serviceKey('ci') });
  const of = (who: string) =>
    policyOf(`groups:
  programs: [service:ci]
  all: [group:programs, person:eve@example.com]
rules:
  - { id: it, effect: allow, who: ['${who}'], what: [any-resource] }`).policy;
  for (const who of ['service:ci', 'group:programs', 'group:all']) {
    assert.equal(verdict(of(who), checkOf(ci)), 'allow it', who);
    assert.equal(of(who).mayReach(ci, WIKI), true);
  }
  for (const who of ['anyone-signed-in', 'service:ci2', 'person:ci@example.com', 'provider:ci', 'provider:service:ci'])
    assert.equal(verdict(of(who), checkOf(ci)), 'deny no_rule_matched', who);
  const alike = [
    person({ subject: 'service:ci', groups: ['service:ci', 'ci'], boundEmail: 'ci@example.com' }),
    person({ kind: 'service', issuer: 'urn:postern:local', subject: 'service:ci' }),
    person({ ...serviceKey('ci') }),
    person({ kind: 'service', ...serviceKey('monitor') }),
    ANONYMOUS,
  ];
  for (const other of alike) assert.equal(verdict(of('service:ci'), checkOf(other)), 'deny no_rule_matched');
  assert.equal(verdict(of('service:ci'), checkOf(ci)), 'allow it', 'whoever asked before');
});

test('whoever calls themselves anonymous is nobody else, and nobody else is anonymous', () => {
  const { policy } = policyOf(`rules:
  - { id: a, effect: allow, who: [anyone], what: [resource:wiki], methods: [GET], paths: [/a] }
  - { id: b, effect: allow, who: [provider:anyone, person:anyone@example.com], what: [resource:wiki], paths: [/b] }`);
  assert.equal(verdict(policy, checkOf(person({ groups: ['anyone'] }), '/a')), 'allow a');
  assert.equal(verdict(policy, checkOf(ANONYMOUS, '/b')), 'deny no_rule_matched');
  assert.equal(verdict(policy, checkOf(person({ groups: ['anyone'] }), '/b')), 'allow b');
  assert.equal(policy.mayReach(eve, WIKI), false, 'a page open to all is no app of theirs');
});
