import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseRelayOrigin } from '../../src/cli/relay-origin.ts';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { createListener } from '../../src/gateway/listener.ts';
import type { Health } from '../../src/relay/metrics/health.ts';
import type { Meters } from '../../src/relay/metrics/meters.ts';
import { serveMetrics } from '../../src/relay/metrics/serve.ts';
import { asAlice, createWorld } from '../gateway/world.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-plain-'));
after(() => rmSync(directory, { recursive: true }));

describe('plain HTTP', () => {
  const agentAt = (relay: string) => {
    const file = join(directory, 'agent.yaml');
    writeFileSync(file, `relay: ${relay}\nname: office\ntargets: { wiki: "http://127.0.0.1:7001" }\n`);
    return loadAgentConfig(file).relay;
  };

  it('never carries an enrollment token: an agent reaches its relay by https, or on its own machine', () => {
    for (const relay of ['http://access.example.com', 'http://10.0.0.1:8080', 'http://localhost.evil.test'])
      assert.throws(() => agentAt(relay), /agent\.yaml:1:8: "relay" must be https/, relay);
    for (const relay of ['https://access.example.com', 'http://postern.localhost:8080', 'http://127.0.0.1:8080'])
      assert.equal(agentAt(relay), relay);
  });

  it("never carries a person's token either", () => {
    for (const relay of ['http://access.example.com', 'http://127.evil.test', 'http://localhost.evil.test'])
      assert.throws(() => parseRelayOrigin(relay), /begins with https/, relay);
    assert.equal(parseRelayOrigin('127.evil.test'), 'https://127.evil.test');
    assert.equal(parseRelayOrigin('127.0.0.1:8080'), 'http://127.0.0.1:8080');
    assert.equal(parseRelayOrigin('http://postern.localhost:8080'), 'http://postern.localhost:8080');
  });
});

describe("a stranger at the relay's own host", () => {
  it('cannot hold a connection by a body that never comes', async () => {
    const listener = createListener({
      relayHost: 'relay.test',
      control: (_req, res) => void res.end('answered at once'),
      tunnelUpgrade: (_req, socket) => void socket.destroy(),
      gateway: { handleRequest: (_req, res) => void res.end(), handleUpgrade: (_req, socket) => void socket.destroy() },
      controlBodyMs: 20,
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    for (const framing of [
      'Content-Length: 9',
      'Transfer-Encoding: chunked',
      'Content-Length: 9\r\nExpect: 100-continue',
    ]) {
      const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => socket.destroy()).resume();
      socket.write(`POST / HTTP/1.1\r\nHost: relay.test\r\n${framing}\r\n\r\n`);
      await once(socket, 'close');
    }
    listener.closeAllConnections();
    listener.close();
  });
});

describe('metrics, which ask nobody who they are', () => {
  it('are not for a page whose name was made to point at this machine', async () => {
    const health = { live: () => ({ ok: true }) } as unknown as Health;
    await using server = await serveMetrics({ host: '127.0.0.1', port: 0 }, {} as Meters, health);
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const asked = request(`${server.url}/health/live`, { agent: false, headers: { host } }, (res) => {
          res.resume();
          resolve(res.statusCode);
        });
        asked.on('error', reject).end();
      });
    for (const host of ['evil.test', 'evil.test:9090', 'localhost.evil.test', '127.0.0.1.evil.test'])
      assert.equal(await statusFor(host), 421, host);
    for (const host of ['127.0.0.1:9090', 'localhost:9090', '[::1]:9090'])
      assert.equal(await statusFor(host), 200, host);
  });
});

describe('a record', () => {
  it('stays small, whatever the browser calls itself', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.decide = () => ({ effect: 'deny' });
    await world.get('/', { ...asAlice, 'User-Agent': 'x'.repeat(20_000) });
    assert.equal(world.audit.intents[0]?.personal?.userAgent?.length, 512);
  });
});
