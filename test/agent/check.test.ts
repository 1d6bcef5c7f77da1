import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { checkAgent } from '../../src/agent/check.ts';
import type { AgentConfig } from '../../src/config/agent-config.ts';
import { makeCertificate } from '../relay/certificates.ts';
import { startProxy } from './http-proxy.ts';
import { EchoTarget, Office, tunnelTo } from './office.ts';
import { SmallRelay } from './small-relay.ts';

const never = new AbortController().signal;

async function lines(config: AgentConfig): Promise<string[]> {
  const found: string[] = [];
  for await (const { title, ok, text } of checkAgent(config, never)) found.push(`${ok ? '✓' : '✗'} ${title}: ${text}`);
  return found;
}

async function begin(t: TestContext) {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const office = new Office(t, relay, { wiki: target.port, down: 1 });
  return { relay, target, office };
}

test('each step is tried and named; before the enrollment nothing is used up', async (t) => {
  const { relay, office, target } = await begin(t);
  assert.match(
    (await lines(office.config)).join('\n'),
    /✗ Credential: This agent is not enrolled.*postern agents token create office/,
  );
  office.giveToken(relay);
  const found = await lines(office.config);
  assert.deepEqual(
    found.map((line) => line.split(':')[0]),
    ['✓ Name', '✓ TCP', '✓ Clock', '✓ Credential', '✓ WebSocket', '✓ Target wiki', '✗ Target down'],
  );
  assert.equal(relay.tokens.size, 1);
  assert.equal(target.connections, 0);
  office.start();
  await tunnelTo(relay, 'wiki');
  assert.match(
    (await lines(office.config)).join('\n'),
    /✓ Credential: the relay knows office.*\n✓ WebSocket: a tunnel to relay-1 opens/,
  );
});

test('a revoked agent, and one whose key the relay does not know, fail at the credential', async (t) => {
  const { relay, office } = await begin(t);
  office.giveToken(relay);
  office.start();
  await tunnelTo(relay, 'wiki');
  relay.agentKeys.clear();
  const found = await lines(office.config);
  assert.match(
    found.find((line) => line.includes('Credential')) ?? '',
    /^✗ Credential: The relay gave no device credential/,
  );
});

test('a proxy has its own line', async (t) => {
  const { office } = await begin(t);
  const { origin } = await startProxy(t, 'agent:secret');
  const proxy = { origin, user: undefined, password: undefined };
  const found = await lines({ ...office.config, proxy });
  assert.match(found[1] ?? '', /^✗ Proxy: .* wants a user and a password/);
  const open = await startProxy(t);
  const led = await lines({ ...office.config, proxy: { ...proxy, origin: open.origin } });
  assert.match(led[1] ?? '', /^✓ Proxy: http:.* leads to postern\.localhost/);
  const notOne = await lines({ ...office.config, proxy: { ...proxy, origin: office.config.relay } });
  assert.match(notOne[2] ?? '', /^✗ Proxy: /);
});

test('TLS that is not spoken, and certificates that are not trusted, in words', async (t) => {
  const { relay, office } = await begin(t);
  const spoken = await lines({ ...office.config, relay: `https://localhost:${relay.port}` });
  assert.match(spoken[2] ?? '', /^✗ TLS: localhost does not speak TLS there/);
  const { certificateFile, keyFile } = makeCertificate(office.directory, 'own', ['localhost']);
  const tls = createTlsServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  t.after(() => tls.close());
  const untrusted = await lines({
    ...office.config,
    relay: `https://localhost:${(tls.address() as AddressInfo).port}`,
  });
  assert.match(untrusted[2] ?? '', /^✗ TLS: This machine does not trust .*NODE_EXTRA_CA_CERTS/);
});
