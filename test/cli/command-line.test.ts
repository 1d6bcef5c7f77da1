import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRelayOrigin } from '../../src/cli/relay-origin.ts';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const CONFIG = mkdtempSync(join(tmpdir(), 'postern-cli-'));

function postern(...args: string[]) {
  const env = { ...process.env, POSTERN_CONFIG_DIR: CONFIG };
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env });
}

test('--version and --help answer on stdout with 0', () => {
  const version = postern('--version');
  assert.equal(version.status, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  const help = postern('--help');
  assert.equal(help.status, 0);
  for (const command of ['relay', 'agent', 'config', 'login', 'audit', 'agents'])
    assert.match(help.stdout, new RegExp(`  ${command} `));
});

test('what is not a command line is a usage error (2), said on stderr', () => {
  for (const args of [['rely'], ['relay'], ['login'], ['login', 'ftp://x'], ['audit', 'search', '--limit', '0']]) {
    const { status, stdout, stderr } = postern(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /error:/);
  }
  assert.match(postern('rely').stderr, /relay/);
});

test('without a sign-in: 4 and the command to run; a relay that is not there: 6', () => {
  const relay = 'http://postern.localhost:9';
  const search = postern('audit', 'search', 'who:eve', '--json', '--relay', relay);
  assert.equal(search.status, 4);
  assert.equal(search.stdout, '');
  assert.match(search.stderr, /postern login http:\/\/postern\.localhost:9/);

  const credential = { relay, token: new Secret('pst_x'), expiresAt: Date.now() + 60_000, person: 'alice' };
  saveCredential(credential, { POSTERN_CONFIG_DIR: CONFIG });
  const away = postern('audit', 'search', '--json');
  assert.equal(away.status, 6);
  assert.equal(away.stdout, '');
  assert.match(away.stderr, /cannot be reached/);
});

test('a configuration that is not there is a failure (1) that names the file', () => {
  const { status, stderr } = postern('agent', '--config', '/nowhere/agent.yaml');
  assert.equal(status, 1);
  assert.match(stderr, /\/nowhere\/agent\.yaml/);
});

test('the address of a relay as people type it', () => {
  assert.equal(parseRelayOrigin('access.example.com'), 'https://access.example.com');
  assert.equal(parseRelayOrigin('https://access.example.com/'), 'https://access.example.com');
  assert.equal(parseRelayOrigin('postern.localhost:8080'), 'http://postern.localhost:8080');
  assert.throws(() => parseRelayOrigin('https://me:secret@x.example'));
  assert.throws(() => parseRelayOrigin('file:///etc'));
});
