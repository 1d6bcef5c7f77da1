import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { makeCertificate } from '../relay/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-listening-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'client-secret'), 'hunter2\n');
makeCertificate(directory, 'good', ['access.test']);
makeCertificate(directory, 'other', ['access.test']);

/** The first problem of a file with these lines under `relay`, as `line:column: text`; '' when there is none. */
function problemOf(relay: string, secretFile = './client-secret'): string {
  const file = join(directory, 'postern.yaml');
  const rest = `provider: { issuer: https://id.test, clientId: postern, clientSecretFile: "${secretFile}" }\nroles: { admin: { groups: [security] } }\n`;
  writeFileSync(file, `relay:\n${relay.replace(/^/gm, '  ')}\n${rest}`);
  try {
    loadRelayConfig(file);
    return '';
  } catch (error) {
    return messageOf(error).replaceAll(`${file}:`, '').replaceAll(`${directory}/`, '').split('\n')[0] ?? '';
  }
}

describe('plain HTTP', () => {
  test('on loopback, or behind a named proxy', () => {
    assert.equal(problemOf('url: https://access.test\nlisten: 127.0.0.1:8080'), '');
    assert.equal(problemOf('url: https://access.test\nlisten: "[::1]:8080"'), '');
    assert.equal(
      problemOf('url: https://access.test\nlisten: 0.0.0.0:8080\ntrustedProxies: [10.0.0.0/8, "fd00::1"]'),
      '',
    );
  });

  test('nowhere else', () => {
    for (const listen of ['0.0.0.0:8080', '"[::]:8080"', '192.0.2.1:8080'])
      assert.match(
        problemOf(`url: https://access.test\nlisten: ${listen}`),
        /^3:11: plain HTTP on .* would carry sessions in the clear: give "relay.tls"/,
      );
    assert.match(
      problemOf('url: https://access.test\nlisten: 0.0.0.0:80\ntrustedProxies: [0.0.0.0/0]'),
      /^4:\d+: everybody is trusted/,
    );
    assert.match(
      problemOf('url: https://access.test\nlisten: 0.0.0.0:80\ntrustedProxies: [10.0.0.0/33]'),
      /^4:\d+: "10\.0\.0\.0\/33" is no address or network/,
    );
    assert.match(
      problemOf('url: https://access.test\nlisten: 127.0.0.1:80\nproxyProtocol: true'),
      /^4:18: "relay\.proxyProtocol" needs "relay\.trustedProxies"/,
    );
  });

  test('metrics only on loopback', () => {
    const relay = 'url: https://access.test\nlisten: 127.0.0.1:80\nmetrics: ';
    assert.equal(problemOf(`${relay}127.0.0.1:9090`), '');
    assert.match(problemOf(`${relay}0.0.0.0:9090`), /^4:12: "relay\.metrics" must be on loopback/);
  });
});

describe('certificates', () => {
  const tls = (certificate: string, key: string, url = 'https://access.test') =>
    problemOf(`url: ${url}\nlisten: 0.0.0.0:443\ntls:\n  certificateFile: ${certificate}\n  keyFile: ${key}`);

  test('a pair that belongs together', () => assert.equal(tls('good.pem', 'good.key'), ''));

  test('a pair that does not, files that are not there, and http', () => {
    assert.match(
      tls('good.pem', 'other.key'),
      /^5:22: The certificate good\.pem and the key other\.key cannot be used/,
    );
    assert.match(tls('good.key', 'good.key'), /^5:22: /);
    assert.match(tls('none.pem', 'good.key'), /^5:22: The certificate file none\.pem cannot be read/);
    assert.match(tls('good.pem', 'good.key', 'http://postern.localhost'), /^2:8: "relay\.url" must be https/);
  });
});

describe('several certificates', () => {
  const tls = (...lines: string[]) =>
    problemOf(
      ['url: https://access.test', 'listen: 0.0.0.0:443', 'tls:', ...lines.map((line) => `  ${line}`)].join('\n'),
    );
  const pair = (name: string, key = name) => `  - { certificateFile: ${name}.pem, keyFile: ${key}.key }`;

  test('a list, in its order', () => {
    assert.equal(tls('certificates:', pair('other'), pair('good')), '');
    const { tls: read } = loadRelayConfig(join(directory, 'postern.yaml')).relay;
    assert.deepEqual(
      read?.certificates.map(({ certificateFile }) => certificateFile),
      [join(directory, 'other.pem'), join(directory, 'good.pem')],
    );
  });

  test('refused: none, half of one, one and a list, and a pair that does not belong together, at its place', () => {
    for (const wrong of [
      ['redirectFrom: 0.0.0.0:80'],
      ['certificateFile: good.pem'],
      ['keyFile: good.key', 'certificates:', pair('good')],
    ])
      assert.match(
        tls(...wrong),
        /^5:\d+: "relay\.tls" needs "certificateFile" and "keyFile", or instead "certificates"/,
      );
    assert.match(tls('certificates: []'), /^5:19: "relay\.tls\.certificates" must have at least 1 entry/);
    assert.match(tls('certificates:', '  - { certificateFile: good.pem }'), /^6:\d+: .* lacks "keyFile"/);
    assert.match(
      tls('certificates:', pair('good'), pair('good', 'other')),
      /^7:\d+: The certificate good\.pem and the key other\.key cannot be used/,
    );
  });
});

describe('credentials of systemd', () => {
  const relay = 'url: https://access.test\nlisten: 127.0.0.1:8080';
  after(() => delete process.env['CREDENTIALS_DIRECTORY']);

  test('a secret by its name', () => {
    const credentials = join(directory, 'credentials');
    mkdirSync(credentials);
    writeFileSync(join(credentials, 'client-secret'), 'from systemd');
    process.env['CREDENTIALS_DIRECTORY'] = credentials;
    assert.equal(problemOf(relay, 'credential:client-secret'), '');
    const config = loadRelayConfig(join(directory, 'postern.yaml'));
    assert.equal(config.provider.clientSecret.reveal(), 'from systemd');

    const agent = join(directory, 'agent.yaml');
    writeFileSync(
      agent,
      'relay: https://access.test\nname: office\nenrollmentTokenFile: credential:token\ntargets: { wiki: "http://127.0.0.1:1" }\n',
    );
    assert.equal(loadAgentConfig(agent).enrollmentTokenFile, join(credentials, 'token'));
  });

  test('refused: one that is not there, a path, and any without systemd', () => {
    assert.match(problemOf(relay, 'credential:other'), /^4:\d+: The secret file credentials\/other cannot be read/);
    assert.match(problemOf(relay, 'credential:../client-secret'), /^4:\d+: "credential:\.\.\/client-secret" must name/);
    delete process.env['CREDENTIALS_DIRECTORY'];
    assert.match(problemOf(relay, 'credential:client-secret'), /^4:\d+: "credential:client-secret" needs systemd/);
  });
});
