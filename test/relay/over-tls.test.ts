import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { stringify } from 'yaml';
import { runAgent } from '../../src/agent/run.ts';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { startRelay } from '../../src/relay/start.ts';
import { freePort } from '../e2e/free-port.ts';
import { Lines } from '../faults/installation.ts';
import { startHostileProvider } from '../identity/hostile-provider.ts';
import { startDatabases, temporaryDirectory } from '../store/databases.ts';
import { makeCertificate } from './certificates.ts';

test('browser, relay and agent over TLS: a download of many reads arrives whole, and browsers learn to come by https', async () => {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory()).path;
  const certificate = makeCertificate(directory, 'relay', ['postern.localhost', '*.postern.localhost']);
  const known = getCACertificates('default');
  setDefaultCACertificates([...known, readFileSync(certificate.certificateFile, 'utf8')]);
  undo.defer(() => setDefaultCACertificates(known));
  const provider = undo.use(await startHostileProvider('secret'));
  const { databaseUrl } = await undo.use(await startDatabases('postgres')).place('tls');
  const sent = randomBytes(8_000_000);
  const app = createServer((_req, res) => void res.end(sent)).listen(0, '127.0.0.1');
  await once(app, 'listening');
  undo.defer(() => {
    app.closeAllConnections();
    app.close();
  });

  const port = await freePort();
  const origin = `https://postern.localhost:${port}`;
  const file = (name: string, content: object | string) => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === 'string' ? content : stringify(content), { mode: 0o600 });
    return path;
  };
  mkdirSync(join(directory, 'policies'));
  // Open to all, so that the story is of TLS alone.
  const rule = { id: 'open', effect: 'allow', who: ['anyone'], what: ['resource:wiki'] };
  file('policies/rules.yaml', { rules: [{ ...rule, methods: ['GET'], paths: ['/**'] }] });
  file('client-secret', 'secret');
  const relayFile = file('postern.yaml', {
    relay: { url: origin, listen: `127.0.0.1:${port}`, tls: certificate, drain: '0s' },
    dataDir: './data',
    database: { url: databaseUrl?.reveal() },
    provider: { issuer: provider.issuer, clientId: 'postern', clientSecretFile: './client-secret' },
    roles: { admin: { groups: ['a'] } },
    policy: { directory: './policies' },
    agents: { office: { enrollmentTokenFile: './office.token' } },
    resources: { wiki: { agent: 'office' }, diary: { agent: 'office' } },
  });
  const agentFile = file('agent.yaml', {
    relay: origin,
    name: 'office',
    enrollmentTokenFile: './office.token',
    stateDir: './agent',
    targets: { wiki: `http://127.0.0.1:${(app.address() as AddressInfo).port}` },
  });
  const stop = new AbortController();
  const relay = await startRelay(loadRelayConfig(relayFile), { log: new Lines().log, signal: stop.signal });
  undo.defer(() => relay.close());
  const lines = new Lines();
  const agent = runAgent(loadAgentConfig(agentFile), { signal: stop.signal, log: lines.log });
  undo.defer(() => {
    stop.abort();
    return agent;
  });
  await lines.saw('connected');

  const ask = (url: string, headers = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers, lookup: lookupWithLocalhost }, resolve).on('error', reject);
    });
  const answer = await ask(`https://wiki.postern.localhost:${port}/big`);
  assert.equal(answer.statusCode, 200);
  assert.ok((await buffer(answer)).equals(sent));
  assert.equal(answer.headers['strict-transport-security'], undefined, 'an app says that itself');

  // Whoever signs in has passed both hosts.
  const toSignIn = await ask(`https://diary.postern.localhost:${port}/`, { accept: 'text/html' });
  assert.equal(toSignIn.statusCode, 303);
  for (const ours of [toSignIn, await ask(toSignIn.headers.location ?? '')]) {
    assert.equal(ours.headers['strict-transport-security'], 'max-age=31536000');
    ours.resume();
  }
});
