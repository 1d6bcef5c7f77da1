import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { loadRelayConfig, type RelayConfig } from '../../src/config/relay-config.ts';
import { Secret } from '../../src/lib/secret.ts';
import { checkCertificates } from '../../src/relay/check/certificates.ts';
import { checkDataDirectory } from '../../src/relay/check/data-directory.ts';
import { checkDatabase } from '../../src/relay/check/database.ts';
import { checkNames } from '../../src/relay/check/dns.ts';
import type { Finding } from '../../src/relay/check/finding.ts';
import { checkPorts } from '../../src/relay/check/ports.ts';
import { checkProvider } from '../../src/relay/check/provider.ts';
import { runChecks } from '../../src/relay/check/run-checks.ts';
import { startProvider } from '../../trial/provider.ts';
import { freePort } from '../e2e/free-port.ts';
import { startPostgres } from '../store/databases.ts';
import { makeCertificate } from './certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-check-'));
const held = new AsyncDisposableStack();
after(async () => {
  await held.disposeAsync();
  rmSync(directory, { recursive: true });
});
writeFileSync(join(directory, 'client-secret'), 'hunter2\n');
const file = join(directory, 'postern.yaml');
writeFileSync(
  file,
  `relay: { url: http://postern.localhost:8080, listen: 127.0.0.1:0 }
provider: { issuer: http://localhost:1, clientId: postern, clientSecretFile: ./client-secret }
roles: { admin: { groups: [security] } }
agents: { office: {} }
resources: { wiki: { agent: office } }
`,
);
const base = loadRelayConfig(file);

type Change = { readonly relay?: Partial<RelayConfig['relay']>; readonly provider?: Partial<RelayConfig['provider']> };

function config({ relay, provider, ...rest }: Change & Partial<Omit<RelayConfig, 'relay' | 'provider'>>): RelayConfig {
  return { ...base, ...rest, relay: { ...base.relay, ...relay }, provider: { ...base.provider, ...provider } };
}

/** What is wrong, one line each. */
const wrongs = (findings: readonly Finding[]) => findings.filter(({ ok }) => !ok).map(({ text }) => text);

test('names: those that resolve, and one that nobody has', async () => {
  assert.deepEqual(wrongs(await checkNames(base)), []);
  const found = await checkNames(config({ relay: { host: 'postern.invalid' } }));
  assert.deepEqual(wrongs(found), ['postern.invalid has no address']);
});

test('certificate: names and expiry', async () => {
  const hosts = ['postern.localhost', '*.postern.localhost'];
  const check = (name: string, names: string[], days: number) =>
    checkCertificates(
      config({
        relay: { tls: { certificates: [makeCertificate(directory, name, names, days)], redirectFrom: undefined } },
      }),
    );
  assert.deepEqual(wrongs(await check('good', hosts, 60)), []);
  assert.deepEqual(wrongs(await check('narrow', hosts.slice(0, 1), 60)), ['does not name wiki.postern.localhost']);
  assert.match(wrongs(await check('late', hosts, 3))[0] ?? '', /^expires on /);
  assert.deepEqual(wrongs(await checkCertificates(base)), []);
});

test('several certificates: each is looked at, and a host that none names is said', async () => {
  const relay = makeCertificate(directory, 'relay', ['postern.localhost'], 60);
  const check = async (...more: (typeof relay)[]) =>
    checkCertificates(config({ relay: { tls: { certificates: [relay, ...more], redirectFrom: undefined } } }));
  const apps = makeCertificate(directory, 'apps', ['*.postern.localhost'], 60);
  const found = await check(apps);
  assert.deepEqual(wrongs(found), []);
  assert.ok(found.some(({ text }) => text === `wiki.postern.localhost is in ${apps.certificateFile}`));
  const late = makeCertificate(directory, 'late-apps', ['*.postern.localhost'], 3);
  assert.match(wrongs(await check(late)).join('\n'), /^\S+late-apps\.pem: expires on .*$/);
  const other = makeCertificate(directory, 'other', ['*.elsewhere.test'], 60);
  assert.deepEqual(wrongs(await check(other)), ['none names wiki.postern.localhost']);
});

describe('provider and clock', () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    held.defer(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const metadata = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/a`,
    token_endpoint: `${issuer}/t`,
    jwks_uri: `${issuer}/keys`,
  });
  const check = async (issuer: string) => wrongs(await checkProvider(config({ provider: { issuer } })));

  test('a real provider is right', async () => {
    const port = await freePort();
    const provider = held.use(
      await startProvider({
        port,
        directory: join(directory, 'idp'),
        relay: base.relay.origin,
        clientSecret: 'hunter2',
      }),
    );
    assert.deepEqual(await check(provider.issuer), []);
  });

  test('nobody there, another issuer, no keys, and a clock that is off, are said', async () => {
    assert.match((await check(`http://127.0.0.1:${await freePort()}`))[0] ?? '', /does not answer as it should/);
    const other = await serve((_req, res) => res.end(JSON.stringify(metadata('https://other.test'))));
    assert.deepEqual((await check(other)).slice(0, 1), ['it calls itself https://other.test']);
    let origin = '';
    origin = await serve((req, res) => {
      res.setHeader('Date', new Date(Date.now() - 120_000).toUTCString());
      res.end(JSON.stringify(req.url === '/keys' ? { keys: [] } : metadata(origin)));
    });
    const found = await check(origin);
    assert.match(found[0] ?? '', /^its keys at .* cannot be read/);
    assert.match(found[1] ?? '', /^the clocks differ by 1\d\d s$/);
  });
});

describe('database', () => {
  const check = async (databaseUrl: Secret) => wrongs(await checkDatabase(config({ databaseUrl })));
  let url: Secret;
  let cluster: Awaited<ReturnType<typeof startPostgres>>;
  before(async () => {
    cluster = held.use(await startPostgres());
    url = await cluster.createDatabase();
  });

  test('a safe server where we may create tables', async () => assert.deepEqual(await check(url), []));

  test('a user without rights, and a read-only server', async () => {
    const client = new pg.Client({ connectionString: url.reveal() });
    await client.connect();
    await client.query('CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await client.query('CREATE ROLE reader LOGIN SUPERUSER; ALTER ROLE reader SET default_transaction_read_only = on');
    await client.end();
    const as = (user: string) => new Secret(url.reveal().replace('postgres@', `${user}@`));
    assert.deepEqual(await check(as('guest')), ['guest may not create tables in it']);
    assert.deepEqual(await check(as('reader')), ['it is read-only (a standby?)']);
  });

  test('a server that can forget, and one that is not there', async () => {
    const unsafe = held.use(await startPostgres(['fsync=off', 'synchronous_commit=off']));
    assert.match((await check(unsafe.url))[0] ?? '', /fsync.* = off and can lose acknowledged records/);
    assert.match((await check(new Secret('postgres://127.0.0.1:1/x')))[0] ?? '', /^it does not answer: /);
  });

  test('embedded needs no server', async () => assert.deepEqual(wrongs(await checkDatabase(base)), []));
});

test('data directory: ours alone', async () => {
  const dataDir = join(directory, 'data');
  assert.deepEqual(wrongs(await checkDataDirectory(config({ dataDir }))), []);
  mkdirSync(dataDir, { mode: 0o700 });
  assert.deepEqual(wrongs(await checkDataDirectory(config({ dataDir }))), []);
  chmodSync(dataDir, 0o750);
  assert.deepEqual(wrongs(await checkDataDirectory(config({ dataDir }))), [
    `others may look into ${dataDir}, which holds keys`,
  ]);
  assert.deepEqual(wrongs(await checkDataDirectory(config({ dataDir: file }))), [`${file} is not a directory`]);
});

test('ports: free, taken, and not of this machine', async () => {
  const taken = createTcpServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  held.defer(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const check = async (listen: RelayConfig['relay']['listen']) =>
    wrongs(await checkPorts(config({ relay: { listen } })));
  assert.deepEqual(await check({ host: '127.0.0.1', port: await freePort() }), []);
  assert.deepEqual(await check({ host: '127.0.0.1', port }), [`127.0.0.1:${port} is taken`]);
  assert.deepEqual(await check({ host: '192.0.2.1', port: 1 }), ['nobody can listen on 192.0.2.1:1 here']);
});

test('all steps answer, in order, and each thing that is wrong says what to do', async () => {
  const steps = await runChecks(config({ provider: { issuer: `http://127.0.0.1:${await freePort()}` } }));
  assert.deepEqual(
    steps.map(({ title }) => title),
    ['Names', 'Certificate', 'Provider and clock', 'Database', 'Data directory', 'Ports'],
  );
  for (const finding of steps.flatMap(({ findings }) => findings))
    if (!finding.ok) assert.match(finding.advice, /[.)]$/);
});
