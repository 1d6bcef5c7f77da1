import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newEnforcer, newModelFromString } from 'casbin';
import fc from 'fast-check';
import type { Check } from '../../src/domain/decision.ts';
import type { Destination } from '../../src/domain/destination.ts';
import { NO_PATH } from '../../src/domain/request-path.ts';
import { linesOf, objectsOf } from '../../src/policy/candidates.ts';
import { FUNCTIONS, loadModelText } from '../../src/policy/casbin-model.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { destinationReadings } from '../../src/policy/destination-pattern.ts';
import { runPolicyTests } from '../../src/policy/policy-tests.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { subjectsOf } from '../../src/policy/subjects.ts';
import { checkOf, ISSUER, person, policyOf, resource, verdict, WIKI } from './fixtures.ts';

const LAN = resource('lan', { protocol: 'network', tags: ['internal'] });
const STAFF = person({ groups: ['staff'] });

function goingTo(host: string, port: number, address?: string, principal = STAFF): Check {
  const destination: Destination = { host, port, address };
  return { principal, resource: LAN, action: { kind: 'tcp', method: 'CONNECT', path: NO_PATH, destination } };
}

function rulesOf(...rules: string[]): ReturnType<typeof policyOf> {
  const text = rules.map((rule, at) => `  - { id: r${at}, who: [provider:staff], what: [resource:lan], ${rule} }`);
  return policyOf(`rules:\n${text.join('\n')}\n`, [WIKI, LAN]);
}

test('names are compared with what was asked for, networks with the address, and both with the port', () => {
  const { policy } = rulesOf("effect: allow, destinations: ['*.corp.internal:22', '10.0.0.0/8:5432', 'db1.lan:*']");
  const table: [string, number, string, string][] = [
    ['a.corp.internal', 22, '203.0.113.1', 'allow r0'],
    ['a.b.corp.internal', 22, '203.0.113.1', 'allow r0'],
    ['corp.internal', 22, '203.0.113.1', 'deny no_rule_matched'],
    ['acorp.internal', 22, '203.0.113.1', 'deny no_rule_matched'],
    ['a.corp.internal', 23, '203.0.113.1', 'deny no_rule_matched'],
    ['any.example', 5432, '10.9.9.9', 'allow r0'],
    ['10.9.9.9', 5432, '10.9.9.9', 'allow r0'],
    ['any.example', 5432, '11.0.0.1', 'deny no_rule_matched'],
    ['db1.lan', 1, '11.0.0.1', 'allow r0'],
    ['db1.lan', 65_535, 'fd00::1', 'allow r0'],
    ['db2.lan', 1, '11.0.0.1', 'deny no_rule_matched'],
  ];
  for (const [host, port, address, expected] of table)
    assert.equal(verdict(policy, goingTo(host, port, address)), expected, `${host}:${port} at ${address}`);
});

test('a deny by name or by address beats what is allowed, and without destinations a rule means all', () => {
  const { policy, warnings } = rulesOf(
    'effect: allow',
    "effect: deny, destinations: ['secret.lan:*', '10.66.0.0/16:*', '[fd66::/16]:22']",
  );
  assert.equal(verdict(policy, goingTo('db1.lan', 22, '10.0.0.1')), 'allow r0');
  assert.equal(verdict(policy, goingTo('secret.lan', 22, '10.0.0.1')), 'deny r1');
  assert.equal(verdict(policy, goingTo('innocent.lan', 22, '10.66.0.1')), 'deny r1');
  assert.equal(verdict(policy, goingTo('innocent.lan', 22, 'fd66::7')), 'deny r1');
  assert.equal(verdict(policy, goingTo('innocent.lan', 23, 'fd66::7')), 'allow r0');
  assert.match(warnings.join('\n'), /^policy\.yaml:3:\d+: the rule "r1" denies by name/);
});

test('an address inside an address is decided, too, and the strictest counts', () => {
  const { policy } = rulesOf(
    "effect: allow, destinations: ['[::/0]:*', '10.0.0.0/8:*']",
    "effect: deny, destinations: ['10.66.0.0/16:*']",
  );
  for (const address of ['::ffff:10.66.0.1', '64:ff9b::a42:1', '2002:a42:1::1', '::ffff:0:a42:1'])
    assert.equal(verdict(policy, goingTo('x.lan', 22, address)), 'deny r1', address);
  assert.equal(verdict(policy, goingTo('x.lan', 22, '64:ff9b::a00:1')), 'allow r0');
  assert.equal(verdict(policy, goingTo('x.lan', 22, '64:ff9b::b00:1')), 'deny no_rule_matched');
});

test('a name that nobody resolved is denied, by its rule where one speaks of it; nobody resolves for whom no rule could allow', () => {
  const { policy } = rulesOf(
    "effect: allow, destinations: ['db1.lan:22', '10.0.0.0/8:80']",
    "effect: deny, destinations: ['bad.lan:*']",
  );
  assert.equal(verdict(policy, goingTo('db1.lan', 22)), 'deny destination_unresolved');
  assert.equal(verdict(policy, goingTo('bad.lan', 80)), 'deny r1');
  assert.equal(verdict(policy, goingTo('x.lan', 80)), 'deny no_rule_matched');
  const may = (host: string, port: number, principal = STAFF) =>
    policy.mayReach(principal, LAN, { host, port, address: undefined });
  assert.equal(may('db1.lan', 22), true);
  assert.equal(may('x.lan', 80), true, 'it may resolve into 10.0.0.0/8');
  assert.equal(may('x.lan', 22), false);
  assert.equal(may('db1.lan', 22, person({ groups: ['other'] })), false);
  assert.equal(policy.mayReach(STAFF, LAN), true);
});

test('rules with paths are not about networks, rules with destinations not about web apps', () => {
  const { policy } = policyOf(
    `rules:
  - { id: by-path, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: [/, '/**'] }
  - { id: by-destination, effect: deny, who: [anyone-signed-in], what: [any-resource], destinations: ['*:*'] }
`,
    [WIKI, LAN],
  );
  assert.equal(verdict(policy, checkOf(STAFF, '/')), 'allow by-path');
  assert.equal(verdict(policy, goingTo('db1.lan', 22, '10.0.0.1')), 'deny by-destination');
  const open = policyOf(
    'rules:\n  - { id: a, effect: allow, who: [anyone-signed-in], what: [any-resource], paths: ["/**"] }\n',
    [LAN],
  ).policy;
  assert.equal(verdict(open, goingTo('db1.lan', 22, '10.0.0.1')), 'deny no_rule_matched');
});

test('a network without a destination, and a destination without a network, are denied', () => {
  const { policy } = policyOf('rules:\n  - { id: a, effect: allow, who: [anyone-signed-in], what: [any-resource] }\n', [
    WIKI,
    LAN,
  ]);
  const { destination: _, ...action } = goingTo('x.lan', 22, '10.0.0.1').action;
  assert.equal(verdict(policy, { principal: STAFF, resource: LAN, action }), 'deny policy_failed');
  const misled = { ...goingTo('x.lan', 22, '10.0.0.1'), resource: WIKI };
  assert.equal(verdict(policy, misled), 'deny policy_failed');
});

for (const [text, problem] of [
  ['db1.lan', /must be host:port/],
  ['fd00::1:22', /must be host:port/],
  ['db1.lan:0', /must be a port/],
  ['db1.lan:65536', /must be a port/],
  ['db1.lan:90-80', /must be a port/],
  ['10.0.0.1/8:22', /no bits behind the prefix/],
  ['10.0.0/8:22', /must be a name/],
  ['[db1.lan]:22', /must be a name/],
  ['a*.lan:22', /must be a name/],
  ['0x7f.1:22', /must be a name/],
  ['127.1:22', /must be a name/],
] as const)
  test(`the destination "${text}" is refused at its place`, () => {
    assert.throws(() => rulesOf(`effect: allow, destinations: ['*:1', '${text}']`), {
      code: 'policy_invalid',
      message: new RegExp(`^policy\\.yaml:2:\\d+: .*${problem.source}`),
    });
  });

test('destinations stand on rules for networks, and not beside paths', () => {
  const refused = (rule: string) => () =>
    policyOf(`rules:\n  - { id: x, effect: allow, who: [anyone-signed-in], ${rule} }`, [WIKI, LAN]);
  assert.throws(
    refused("what: [resource:wiki], destinations: ['*:22']"),
    /:2:\d+: "destinations" are for networks, and resource "wiki" is http/,
  );
  assert.throws(
    refused("what: [resource:lan], paths: [/], destinations: ['*:22']"),
    /:2:\d+: .*"paths" and "destinations"/,
  );
});

test('policy tests about networks say where, and of a name its address', () => {
  const { ruleSet: _, ...loaded } = rulesOf("effect: allow, destinations: ['db1.lan:5432', '10.0.0.0/8:22']");
  const run = (...tests: string[]) =>
    runPolicyTests(
      [
        {
          file: 't.yaml',
          text: `tests:\n${tests.map((each) => `  - { groups: [staff], resource: lan, ${each} }`).join('\n')}\n`,
        },
      ],
      { ...loaded, ruleSet: { rules: [], groups: [] } },
      { resources: [WIKI, LAN], issuer: ISSUER },
    );
  const good = run(
    'destination: "db1.lan:5432", address: 192.168.1.1, expect: allow, rule: r0',
    'destination: "10.2.3.4:22", expect: allow',
    'destination: "db1.lan:22", address: 192.168.1.1, expect: deny',
  );
  assert.deepEqual(good, { passed: 3, failures: [] });
  assert.match(
    run('expect: deny').failures.join(),
    /t\.yaml:2:\d+: "lan" is a network: the test needs a "destination"/,
  );
  assert.match(run('destination: "db1.lan:22", expect: deny').failures.join(), /the test needs the "address"/);
  assert.match(run('path: /x, expect: deny').failures.join(), /"path" is for web apps/);
});

// The model file is the same for all, so plain Casbin with every line is what the index and the memory are held to.
const rule = fc.record({
  effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
  who: fc.constant(['provider:staff']),
  what: fc.subarray(['resource:lan', 'tag:internal', 'any-resource', 'resource:other'], { minLength: 1 }),
  where: fc.oneof(
    fc.constant({ paths: undefined, destinations: undefined }),
    fc.constantFrom('/**', '/', '/a').map((path) => ({ paths: [path], destinations: undefined })),
    fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'db.lan',
            '*.lan',
            '*',
            '10.0.0.0/8',
            '10.1.2.3',
            '0.0.0.0/0',
            '[fd00::/8]',
            '[64:ff9b::/96]',
          ),
          fc.constantFrom('22', '22-80', '*'),
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((list) => ({ paths: undefined, destinations: list.map((each) => each.join(':')) })),
  ),
});
const rules = fc
  .array(rule, { maxLength: 10 })
  .map((list): Rule[] =>
    list.map(({ where, ...each }, at) => ({ ...each, ...where, id: `r${at}`, methods: undefined, message: undefined })),
  );
const asked = fc
  .tuple(
    fc.constantFrom('db.lan', 'x.db.lan', 'lan', '10.1.2.3', 'fd00::1', '64:ff9b::a01:203'),
    fc.constantFrom(21, 22, 23, 80, 81),
    fc.constantFrom('10.1.2.3', '11.0.0.1', 'fd00::1', '64:ff9b::a01:203'),
  )
  .map(([host, port, address]): Resolved => ({ host, port, address: host.includes('lan') ? address : host }));
type Resolved = Destination & { readonly address: string };

test('decisions about destinations are those of plain Casbin and of the plain meaning of the rules', async () => {
  const subjects = subjectsOf(STAFF, new Map());
  await fc.assert(
    fc.asyncProperty(rules, fc.array(asked, { minLength: 1, maxLength: 8 }), async (list, destinations) => {
      const policy = compilePolicy({ rules: list, groups: [] }, ISSUER);
      const plain = await newEnforcer(newModelFromString(loadModelText()));
      for (const [name, run] of Object.entries(FUNCTIONS)) await plain.addFunction(name, run);
      for (const { casbin } of linesOf(list, ISSUER)) await plain.addPolicy(...casbin);
      // Twice: the second round answers from memory.
      for (const { host, port, address } of [...destinations, ...destinations]) {
        const decision = policy.decide(goingTo(host, port, address));
        const allowed = destinationReadings({ host, port, address }).every((where) =>
          plain.enforceSync(subjects, objectsOf(LAN), 'CONNECT', where),
        );
        assert.equal(decision.effect === 'allow', allowed);
        assert.deepEqual([decision.effect, decision.rule], meaning(list, { host, port, address }));
        assert(!decision.reasons.includes('policy_failed'));
      }
    }),
    { numRuns: 150 },
  );
});

/** The rules as a person would apply them, by a table of what each pattern of this test means; of an address inside an address, too. */
function meaning(list: readonly Rule[], { host, port, address }: Resolved): ['allow' | 'deny', string | undefined] {
  const addresses = address.startsWith('64:') ? [address, '10.1.2.3'] : [address];
  let verdictOf: ['allow' | 'deny', string | undefined] = ['deny', undefined];
  for (const at of addresses) {
    const isName = /^[a-z.]+$/.test(host);
    const hosts: Readonly<Record<string, boolean>> = {
      'db.lan': host === 'db.lan',
      '*.lan': isName && host !== 'lan',
      '*': true,
      '10.0.0.0/8': at.startsWith('10.'),
      '10.1.2.3': at === '10.1.2.3',
      '0.0.0.0/0': !at.includes(':'),
      '[fd00::/8]': at.startsWith('fd'),
      '[64:ff9b::/96]': at.startsWith('64:'),
    };
    const ports: Readonly<Record<string, boolean>> = {
      '22': port === 22,
      '22-80': port >= 22 && port <= 80,
      '*': true,
    };
    const matching = list.filter(
      ({ what, paths, destinations }) =>
        what.some((object) => object !== 'resource:other') &&
        !paths &&
        (!destinations ||
          destinations.some((text) => {
            const colon = text.lastIndexOf(':');
            return hosts[text.slice(0, colon)] === true && ports[text.slice(colon + 1)] === true;
          })),
    );
    const denying = matching.find((each) => each.effect === 'deny');
    const allowing = matching.find((each) => each.effect === 'allow');
    if (denying || !allowing) return ['deny', denying?.id];
    verdictOf = ['allow', allowing.id];
  }
  return verdictOf;
}
