import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'postern-use-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const env = { ...process.env, POSTERN_CONFIG_DIR: directory, POSTERN_PROFILE: '' };

function use(args: readonly string[], more = {}) {
  return spawnSync(process.execPath, [MAIN, 'use', ...args], { encoding: 'utf8', env: { ...env, ...more } });
}

test('several relays and people: listed, chosen, refused', () => {
  const none = use([]);
  assert.equal(none.status, 0);
  assert.match(none.stderr, /postern login URL/);
  assert.equal(use(['-o', 'json']).stdout, '[]\n');

  const token = new Secret('pst_x');
  saveCredential({ relay: 'https://a.example', token, expiresAt: 4e12, person: 'alice' }, env);
  saveCredential({ relay: 'https://b.example', token, expiresAt: 1, person: 'bob' }, env);
  const table = use([]).stdout;
  assert.match(table, /^PROFILE +IN USE +RELAY +SIGNED IN AS +UNTIL$/m);
  assert.match(table, /^a\.example +https:\/\/a\.example +alice +2096-/m);
  assert.match(table, /^b\.example +yes +https:\/\/b\.example +bob +expired$/m);

  const chosen = use(['a.example']);
  assert.equal(chosen.stdout, '');
  assert.match(chosen.stderr, /Commands now use a\.example: https:\/\/a\.example as alice\./);
  const lines = use(['-o', 'jsonl']).stdout.trim().split('\n');
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    name: 'a.example',
    relay: 'https://a.example',
    person: 'alice',
    expiresAt: 4e12,
    current: true,
  });
  const unknown = use(['carol']);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /There is no profile carol\. There is a\.example, b\.example\./);

  const overruled = use(['a.example'], { POSTERN_PROFILE: 'b.example' });
  assert.match(overruled.stderr, /POSTERN_PROFILE says b\.example/);
  assert.match(use([], { POSTERN_PROFILE: 'b.example' }).stdout, /^b\.example +yes/m);
  assert.ok(![...lines, table].join('').includes('pst_'));
});

test('login goes to the relay of the profile, and never over a profile of another relay', async () => {
  // Whatever it asks goes by way of a proxy that is not there, so it says at once where it wanted to go.
  const relayOf = (args: readonly string[], more = {}) => {
    const { stderr } = spawnSync(process.execPath, [MAIN, 'login', '--no-browser', ...args], {
      encoding: 'utf8',
      env: { ...env, HTTPS_PROXY: 'http://127.0.0.1:9', ...more },
    });
    return /^The relay at (\S+) cannot be reached\. Nothing listens at 127\.0\.0\.1:9\./.exec(stderr)?.[1];
  };
  assert.equal(relayOf([]), 'https://a.example');
  assert.equal(relayOf(['--profile', 'b.example']), 'https://b.example');
  assert.equal(relayOf([], { POSTERN_PROFILE: 'b.example' }), 'https://b.example');
  assert.equal(relayOf(['c.example', '--profile', 'new']), 'https://c.example');

  const over = spawnSync(process.execPath, [MAIN, 'login', 'c.example', '--profile', 'a.example'], {
    encoding: 'utf8',
    env,
  });
  assert.equal(over.status, 1);
  assert.match(over.stderr, /The profile a\.example is of https:\/\/a\.example\. Give this sign-in another name/);
  const unnamed = spawnSync(process.execPath, [MAIN, 'login', '--profile', 'nobody'], { encoding: 'utf8', env });
  assert.equal(unnamed.status, 1);
  assert.match(unnamed.stderr, /postern login URL --profile nobody/);
});
