import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelayConfig } from '../../src/config/relay-config.ts';
import type { Policy } from '../../src/domain/decision.ts';
import type { Announced } from '../../src/gateway/tunnel/announcement.ts';
import { buildPolicy } from '../../src/policy/load-policy.ts';
import { AnnouncedResources } from '../../src/relay/announced-resources.ts';
import { SnapshotHolder } from '../../src/relay/snapshot-holder.ts';
import { resourceOf } from '../agent/small-relay.ts';

function begin() {
  const resources = [resourceOf('wiki', ['office']), { ...resourceOf('old', ['office']), name: 'legacy' }];
  const relay = { origin: 'https://postern.localhost:8443', host: 'postern.localhost' };
  const snapshots = new SnapshotHolder({} as Policy, resources);
  const grown: string[] = [];
  const announced = new AnnouncedResources({ relay, resources } as unknown as RelayConfig, snapshots, ({ name }) => {
    grown.push(name);
  });
  const refusals = (agent: string, scope: string[], ...names: string[]) =>
    Object.fromEntries(
      announced
        .judge(
          agent,
          scope,
          names.map((resource) => ({ resource, protocol: 'http' })),
        )
        .map(({ resource, reason }) => [resource, reason]),
    );
  const judged = (scope: string[], each: Announced) => announced.judge('office', scope, [each])[0]?.reason;
  const at = (host: string) => snapshots.current.resourceByHost.get(host);
  return { announced, refusals, judged, at, grown, snapshots };
}

test('the file gives its resources to the agents it lists, whatever their scope, and to no other', () => {
  const { refusals } = begin();
  assert.deepEqual(refusals('office', [], 'wiki'), {});
  assert.deepEqual(refusals('warehouse', ['*'], 'wiki'), { wiki: "the relay's file gives it to office" });
});

test('a name within the scope becomes a resource of its own, without tags and owner; one outside does not', () => {
  const { refusals, at, grown, snapshots } = begin();
  const before = snapshots.current.version;
  const refused = refusals('office', ['preview-*', 'db'], 'preview-7', 'db', 'admin', 'my-preview-7');
  assert.deepEqual(Object.keys(refused), ['admin', 'my-preview-7']);
  assert.match(refused['admin'] ?? '', /neither the relay's file nor the scope/);
  const resource = at('preview-7.postern.localhost');
  assert.ok(resource);
  assert.equal(resource.origin, 'https://preview-7.postern.localhost:8443');
  assert.deepEqual([resource.tags, resource.owner, resource.agents], [[], undefined, ['office']]);
  assert.equal(at('admin.postern.localhost'), undefined);
  assert.deepEqual(grown, ['preview-7', 'db']);
  assert.ok(snapshots.current.version > before);
  // Announced again after a reconnect: nothing changes.
  refusals('office', ['preview-*'], 'preview-7');
  assert.equal(at('preview-7.postern.localhost'), resource);
});

test('a clash names the holder, of the name and of the host; strange names are refused', () => {
  const { refusals } = begin();
  refusals('office', ['*'], 'preview');
  assert.deepEqual(refusals('warehouse', ['*'], 'preview'), { preview: 'office holds this name' });
  assert.match(refusals('office', ['*'], 'old')['old'] ?? '', /its host old\.postern\.localhost is one of legacy/);
  for (const name of ['Preview', 'a.b', '-x', 'a_b', 'x'.repeat(64), '.*'])
    assert.match(refusals('office', ['*'], name)[name] ?? '', /a name has/);
  assert.notDeepEqual(refusals('office', ['a.c', '[a-z]*', '(x)'], 'abc'), {});
});

test('a revoked agent loses its names, and another may take them', () => {
  const { announced, refusals, at } = begin();
  refusals('office', ['*'], 'preview');
  announced.forget('office');
  assert.equal(at('preview.postern.localhost'), undefined);
  assert.ok(at('wiki.postern.localhost'));
  assert.deepEqual(refusals('warehouse', ['preview'], 'preview'), {});
  assert.deepEqual(at('preview.postern.localhost')?.agents, ['warehouse']);
});

test('a rule about a resource that is not there: an error, but where agents may announce it only a warning', () => {
  const text = 'rules:\n  - { id: x, effect: allow, who: [anyone-signed-in], what: [resource:preview] }\n';
  const files = [{ file: 'rules.yaml', text }];
  const resources = [resourceOf('wiki', ['office'])];
  assert.throws(() => buildPolicy(files, { resources, issuer: 'https://i' }), { code: 'policy_invalid' });
  const { warnings } = buildPolicy(files, { resources, issuer: 'https://i', mayAnnounce: () => true });
  assert.match(warnings.join(), /no resource "preview"/);
});

test('a scope of many stars costs no more than looking for its parts, and still means what it says', () => {
  const { refusals } = begin();
  const name = 'a'.repeat(63);
  // As a regular expression it takes longer than anyone waits.
  assert.deepEqual(Object.keys(refusals('office', [`${'a*'.repeat(31)}b`, `${'*a'.repeat(31)}*b`], name)), [name]);
  const matches: [string, string, boolean][] = [
    ['*', 'x', true],
    ['a*b', 'ab', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*-db', 'x-db', true],
    ['*b*b', 'ab', false],
    ['a', 'aa', false],
  ];
  for (const [pattern, named, expected] of matches)
    assert.equal(
      Object.keys(begin().refusals('office', [pattern], named)).length === 0,
      expected,
      `${pattern} ${named}`,
    );
});

const LAN: Announced = {
  resource: 'lan',
  protocol: 'network',
  ports: [
    { first: 22, last: 22 },
    { first: 5000, last: 5999 },
  ],
};

test('a network within the scope is a resource without a host; ports in the scope bound those that it lists', () => {
  for (const scope of ['lan', '*', 'lan:1-65535', 'la*:22-5999'])
    assert.equal(begin().judged([scope], LAN), undefined, scope);
  const { judged, snapshots } = begin();
  for (const scope of [
    'lan:22',
    'lan:5000-5999',
    'lan:23-5999',
    'lan:22-5998',
    'wan:1-65535',
    'lan:',
    'lan:0-70000',
    'lan:*x',
  ])
    assert.match(judged([scope], LAN) ?? '', /scope of the enrollment token .* with these ports/, scope);
  // No entry covers it alone, so it is outside.
  assert.notEqual(judged(['lan:22', 'lan:5000-5999'], LAN), undefined);
  assert.equal(judged(['lan:22-5999'], LAN), undefined);
  const lan = snapshots.current.resourceByName.get('lan');
  assert.deepEqual([lan?.protocol, lan?.hosts, lan?.announced, lan?.tags], ['network', [], true, []]);
  // Announced again with more ports than its token allows.
  assert.match(
    judged(['lan:22-5999'], {
      ...LAN,
      ports: [
        { first: 80, last: 80 },
        { first: 1, last: 9 },
      ],
    }) ?? '',
    /scope/,
  );
});

test('of TCP targets the scope bounds the port; web apps, which say none, are outside of it', () => {
  const { judged } = begin();
  const db: Announced = { resource: 'db', protocol: 'tcp', ports: [{ first: 5432, last: 5432 }] };
  assert.equal(judged(['db:5000-5999'], db), undefined);
  assert.notEqual(judged(['x:5000-5999'], { ...db, resource: 'x', ports: [{ first: 22, last: 22 }] }), undefined);
  assert.notEqual(judged(['*:1-65535'], { resource: 'web', protocol: 'http' }), undefined);
  assert.notEqual(judged(['*:1-65535'], { resource: 'sock', protocol: 'tcp' }), undefined);
});

test('what is a network here and what is none are not taken for each other', () => {
  const { judged } = begin();
  assert.match(judged(['*'], { ...LAN, resource: 'wiki' }) ?? '', /it is http here, so it belongs under "targets"/);
  judged(['*'], LAN);
  assert.match(
    judged(['*'], { resource: 'lan', protocol: 'tcp' }) ?? '',
    /it is network here, so it belongs under "networks"/,
  );
});
