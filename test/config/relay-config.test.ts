import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { differenceOf } from '../../src/config/difference.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { PosternError } from '../../src/lib/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-config-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'client-secret'), 'hunter2\n');

const GOOD = `relay:
  url: http://postern.localhost:8080
  listen: 127.0.0.1:8080
provider:
  issuer: http://localhost:8081
  clientId: postern
  clientSecretFile: ./client-secret
roles:
  admin: { groups: [security], people: [Sam@Example.com] }
agents:
  office: { enrollmentTokenFile: ./office.token }
resources:
  wiki:
    agent: office
    tags: [internal]
    headers: { Remote-User: email }
`;

function write(text: string): string {
  const file = join(directory, 'postern.yaml');
  writeFileSync(file, text);
  return file;
}

/** The problems of a text as `line:column: text`. */
function problemsOf(text: string, load: (file: string) => unknown = loadRelayConfig): string[] {
  const file = write(text);
  try {
    load(file);
  } catch (error) {
    assert(error instanceof PosternError);
    assert.equal(error.code, 'config_invalid');
    return error.message.split('\n').map((line) => line.replace(`${file}:`, ''));
  }
  return [];
}

test('a small file becomes a complete configuration', () => {
  const config = loadRelayConfig(write(GOOD));
  assert.equal(config.relay.origin, 'http://postern.localhost:8080');
  assert.equal(config.relay.host, 'postern.localhost');
  assert.deepEqual(config.relay.listen, { host: '127.0.0.1', port: 8080 });
  assert.equal(config.relay.id, 'relay-1');
  assert.equal(config.databaseUrl, undefined);
  assert.equal(config.dataDir, join(directory, 'data'));
  assert.deepEqual(config.sessions, { idleMs: 8 * 3_600_000, absoluteMs: 24 * 3_600_000, requestsPerSecond: 1_000 });
  assert.equal(config.audit.commitTimeoutMs, 2000);
  assert.deepEqual(config.roles.admin, { groups: ['security'], people: ['sam@example.com'] });
  assert.deepEqual(config.agents, [{ name: 'office', enrollmentTokenFile: join(directory, 'office.token') }]);
  const [wiki] = config.resources;
  assert.equal(wiki?.host, 'wiki.postern.localhost');
  assert.equal(wiki?.origin, 'http://wiki.postern.localhost:8080');
  assert.deepEqual(wiki?.agents, ['office']);
  assert.deepEqual(wiki?.identityHeaders, { 'remote-user': 'email' });
  assert.equal(config.provider.clientSecret.reveal(), 'hunter2');
});

test('no secret shows in a printed, hashed or compared configuration', () => {
  const config = loadRelayConfig(write(`${GOOD}database: { url: "postgres://u:hunter2@db/postern" }\n`));
  assert.equal(config.databaseUrl?.reveal(), 'postgres://u:hunter2@db/postern');
  const other = loadRelayConfig(write(GOOD));
  for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config), differenceOf(undefined, config).join()])
    assert(!text.includes('hunter2'));
  assert.deepEqual(differenceOf(other, config), ['+ databaseUrl']);
});

test('every problem is reported at its line and column, with a suggestion', () => {
  const problems = problemsOf(
    GOOD.replace('listen:', 'lisen:').replace('wiki:', 'Wiki:').replace('clientId: postern', 'clientId: [a]'),
  );
  assert.deepEqual(problems, [
    '2:3: "relay" lacks "listen": an address and port to listen on, such as 127.0.0.1:8080',
    '3:3: unknown key "lisen" in "relay" (did you mean "listen"?)',
    '6:13: "provider.clientId" must be text of 1 to 500 characters',
    '13:3: the name "Wiki" must be a name of lower-case letters, digits and "-", at most 63 characters',
  ]);
});

const refused: readonly [what: string, change: (text: string) => string, problem: RegExp][] = [
  ['a key given twice', (text) => `${text}agents: {}\n`, /^17:1: "agents" is given twice; the first is in line 10$/],
  ['an anchor', (text) => text.replace('[internal]', '&a [internal]'), /^15:14: anchors are not used here/],
  ['a merge key', (text) => text.replace('tags: [internal]', '<<: {}'), /^15:5: unknown key "<<" in "resources.wiki"/],
  ['a tag', (text) => text.replace('[internal]', '!!set {}'), /tags are not used here/],
  ['two documents', (text) => `${text}---\na: 1\n`, /a second document begins here/],
  ['an unclosed bracket', (text) => `${text}x: [\n`, /not YAML/],
  ['an unknown agent', (text) => text.replace('agent: office', 'agent: ofice'), /^14:12: .*did you mean "office"/],
  ['nobody to administer', (text) => text.replace(/admin: .*/, 'admin: {}'), /^9:10: nobody is an admin/],
  ['no roles', (text) => text.replace(/roles:\n.*\n/, ''), /^1:1: the file lacks "roles"/],
  ["the relay's own host", (text) => text.replace('tags:', 'host: POSTERN.localhost\n    tags:'), /^15:11: .*own host/],
  ['an unreadable secret', (text) => text.replace('./client-secret', './none'), /^7:21: The secret file/],
  [
    'plain http on a real host',
    (text) => text.replace('postern.localhost:8080', 'postern.example.com'),
    /^2:8: .*https/,
  ],
  ['a path in the origin', (text) => text.replace('8080\n', '8080/x\n'), /^2:8: .*without a path/],
  ['a bad bound', (text) => `${text}audit: { commitTimeout: 31s }\n`, /^17:25: .*between 100ms and 30s/],
  ['an origin that is a URL', (text) => `${text}    cors: { origins: [https://a.b/c] }\n`, /^17:23: .*not an origin/],
  ['both kinds of database URL', (text) => `${text}database: { url: "postgres://a", urlFile: b }\n`, /not both/],
  ...['Cookie', 'host', 'X-Postern-User', 'Authorization', 'Content-Length', 'x-forwarded-for'].map(
    (header): [string, (text: string) => string, RegExp] => [
      `the reserved header ${header}`,
      (text) => text.replace('Remote-User', header),
      /^16:16: the header ".*" is reserved/,
    ],
  ),
];
for (const [what, change, problem] of refused)
  test(`refused: ${what}`, () => {
    const text = change(GOOD);
    assert.notEqual(text, GOOD);
    const problems = problemsOf(text);
    assert(
      problems.some((line) => problem.test(line)),
      problems.join('\n'),
    );
  });

test('two resources cannot share a host', () => {
  const problems = problemsOf(`${GOOD}  docs: { agent: office, host: Wiki.postern.localhost }\n`);
  assert.deepEqual(problems, ['17:32: "wiki.postern.localhost" is already the host of resource "wiki"']);
});

test('deep nesting and endless problems end in bounded text', () => {
  assert.equal(problemsOf(`a: ${'['.repeat(100_000)}`).length <= 101, true);
  assert.equal(problemsOf(Array.from({ length: 5000 }, (_, at) => `k${at}: 1`).join('\n')).length, 101);
});

test('the difference names what came, went and changed', () => {
  const before = loadRelayConfig(write(GOOD));
  const after = loadRelayConfig(
    write(`${GOOD.replace('[internal]', '[public]').replace('  wiki:', '  docs: { agent: office }\n  wiki:')}
sessions: { idle: 1h }`),
  );
  assert.deepEqual(differenceOf(before, before), []);
  assert.deepEqual(differenceOf(before, after), [
    '+ resources.docs',
    '~ resources.wiki.tags ["internal"] → ["public"]',
    '~ sessions.idleMs 28800000 → 3600000',
  ]);
  assert.notEqual(before.hash, after.hash);
});

const AGENT = `relay: http://postern.localhost:8080
name: office
enrollmentTokenFile: ./office.token
stateDir: ./state
targets:
  wiki: http://127.0.0.1:7001
  notes: http://[::1]:7002
`;

test('an agent file becomes a complete configuration', () => {
  assert.deepEqual(loadAgentConfig(write(AGENT)), {
    relay: 'http://postern.localhost:8080',
    name: 'office',
    enrollmentTokenFile: join(directory, 'office.token'),
    stateDir: join(directory, 'state'),
    heartbeatMs: 15_000,
    targets: {
      wiki: { kind: 'tcp', host: '127.0.0.1', port: 7001 },
      notes: { kind: 'tcp', host: '::1', port: 7002 },
    },
    networks: {},
  });
});

test('targets are addresses, or addresses with what TLS needs', () => {
  writeFileSync(join(directory, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n');
  const { targets } = loadAgentConfig(
    write(`${AGENT}  a: https://git.internal
  b: unix:/run/app.sock
  c: http+unix:app.sock
  d: db:5432
  e: { url: "https://10.0.0.5:8443", caFile: ./ca.pem, serverName: git.internal }
  f: { url: "https://[::1]:8443", verify: false }
  g: ssh://build01
  h: ssh://[::1]:2222
  i: tcp://db:5432
`),
  );
  const tls = { kind: 'tls', ca: undefined, verify: true };
  assert.deepEqual(targets['a'], { ...tls, host: 'git.internal', port: 443, serverName: 'git.internal' });
  assert.deepEqual(targets['b'], { kind: 'unix', path: '/run/app.sock', protocol: 'tcp' });
  assert.deepEqual(targets['c'], { kind: 'unix', path: join(directory, 'app.sock') });
  assert.deepEqual(targets['d'], { kind: 'tcp', host: 'db', port: 5432, protocol: 'tcp' });
  const ca = '-----BEGIN CERTIFICATE-----\n';
  assert.deepEqual(targets['e'], { ...tls, host: '10.0.0.5', port: 8443, serverName: 'git.internal', ca });
  assert.deepEqual(targets['f'], { ...tls, host: '::1', port: 8443, serverName: '::1', verify: false });
  assert.deepEqual(targets['g'], { kind: 'tcp', host: 'build01', port: 22, protocol: 'ssh' });
  assert.deepEqual(targets['i'], targets['d']);
  assert.deepEqual(targets['h'], { kind: 'tcp', host: '::1', port: 2222, protocol: 'ssh' });
});

test('mistakes in targets, each at its place', () => {
  const problems = (rest: string) =>
    problemsOf(`${AGENT}${rest}`, loadAgentConfig).map((line) => line.replaceAll(`${directory}/`, ''));
  assert.deepEqual(problems('  b: [x]\n  f: { url: "https://x", ca: ./ca.pem }\n  g: { serverName: x }\n'), [
    '8:6: "targets.b" must be an address such as http://127.0.0.1:7001, or url, caFile, serverName and verify',
    '9:26: unknown key "ca" in "targets.f"',
    '10:6: "targets.g" lacks "url": the address of the target, such as https://git.internal:8443',
  ]);
  const text = `  a: http://x/base
  c: { url: "http://x", caFile: ./ca.pem }
  d: { url: "https://x", caFile: ./missing.pem }
  e: { url: "https://x", caFile: ./client-secret }
  h: ftp://x
`;
  assert.deepEqual(problems(text), [
    '8:6: "http://x/base" must be http://host:port or https://host:port without a path, host:port, ssh://host, unix:/path or http+unix:/path',
    '9:6: "caFile", "serverName" and "verify" are for https: targets',
    "10:6: the CA file cannot be read: ENOENT: no such file or directory, open 'missing.pem'",
    '11:6: client-secret holds no certificate in PEM',
    '12:6: "ftp://x" must be http://host:port or https://host:port without a path, host:port, ssh://host, unix:/path or http+unix:/path',
  ]);
});

test('the settings of a resource, and mistakes in them, each at its place', () => {
  const entry = (rest: string) => GOOD.replace('    tags: [internal]\n', `    tags: [internal]\n${rest}`);
  const [wiki] = loadRelayConfig(
    write(
      entry(`    hosts: [Wiki.example.com, old.example.com]
    targetHost: inner:8080
    timeouts: { headers: 30s, idle: 1h }
    bodyLimit: 100MB
    unsafeFrom: { paths: [/saml/acs], origins: [https://idp.example.com] }
`),
    ),
  ).resources;
  assert.equal(wiki?.host, 'wiki.example.com');
  assert.deepEqual(wiki.hosts, ['wiki.example.com', 'old.example.com']);
  assert.deepEqual(wiki.origins, ['http://wiki.example.com:8080', 'http://old.example.com:8080']);
  assert.equal(wiki.origin, wiki.origins[0]);
  assert.equal(wiki.targetHost, 'inner:8080');
  assert.deepEqual(wiki.timeouts, { headersMs: 30_000, idleMs: 3_600_000 });
  assert.equal(wiki.bodyLimitBytes, 100 * 1024 * 1024);
  assert.deepEqual(wiki.unsafeFrom, { paths: ['/saml/acs'], origins: ['https://idp.example.com'] });

  assert.deepEqual(
    problemsOf(
      entry(`    host: a.example.com
    hosts: [b.example.com, b.example.com, postern.localhost]
    targetHost: http://inner
    timeouts: { idle: 2d }
    unsafeFrom: { paths: ["/a*"], origins: [idp] }
`),
    ).map((line) => line.replace(/^\d+:\d+: /, '')),
    [
      'resource "wiki" needs either "host" or "hosts"',
      '"b.example.com" is already the host of resource "wiki"',
      '"postern.localhost" is the relay\'s own host; choose another',
      '"http://inner" is not a host, with or without port',
      '"timeouts.idle" must be between 100ms and 1d',
      '"/a*" must be an exact path, without "?", "#" or "*"',
      '"idp" is not an origin such as https://app.example.com',
    ],
  );
});
