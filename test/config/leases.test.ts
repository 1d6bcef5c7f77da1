import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { messageOf } from '../../src/lib/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-config-leases-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'client-secret'), 'hunter2\n');

function load(leases: string, relay = '') {
  const file = join(directory, 'postern.yaml');
  writeFileSync(
    file,
    `relay: { url: https://access.example.com, listen: "127.0.0.1:8080"${relay} }
provider: { issuer: http://localhost:8081, clientId: postern, clientSecretFile: ./client-secret }
roles: { admin: { people: [sam@example.com] } }
${leases}
`,
  );
  return loadRelayConfig(file).leases;
}

function problemOf(leases: string, relay = ''): string {
  try {
    load(leases, relay);
  } catch (error) {
    return messageOf(error);
  }
  return '';
}

test('no ports are leased unless it says where, and then on loopback', () => {
  assert.equal(load(''), undefined);
  assert.deepEqual(load('leases: { ports: 20000-20100 }'), {
    ports: [20_000, 20_100],
    listen: '127.0.0.1',
    connections: 1,
    host: '127.0.0.1',
  });
});

test('people connect to the host of the relay where it listens for them, or a proxy does', () => {
  assert.equal(load('leases: { ports: 20000-20100, listen: 0.0.0.0 }')?.host, 'access.example.com');
  const behind = ', trustedProxies: [10.0.0.1], proxyProtocol: true';
  assert.equal(load('leases: { ports: 20000-20100 }', behind)?.host, 'access.example.com');
});

test('behind proxies that do not tell addresses they are refused, and it says why', () => {
  assert.match(
    problemOf('leases: { ports: 20000-20100 }', ', trustedProxies: [10.0.0.1]'),
    /needs "relay\.proxyProtocol"/,
  );
});

test('what is no range, holds a port of the relay or no address is refused', () => {
  for (const ports of ['20100-20000', '0-10', '65000-70000', '8000-9000'])
    assert.match(problemOf(`leases: { ports: ${ports} }`), /"leases\.ports"/, ports);
  assert.match(problemOf('leases: { ports: 20000 }'), /leases\.ports/);
  assert.match(problemOf('leases: { ports: 20000-20100, listen: everywhere }'), /"leases\.listen"/);
  assert.match(problemOf('leases: { ports: 20000-20100, connections: 0 }'), /must be a whole number from 1 to 100/);
});
