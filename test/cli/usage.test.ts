import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forgetCredential, saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Nobody listens there, and nobody is asked before the words are understood. */
const RELAY = 'http://postern.localhost:9';

function signedIn(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-usage-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory, POSTERN_PROFILE: '' };
  const token = new Secret('pst_x');
  saveCredential({ relay: RELAY, token, expiresAt: Date.now() + 60_000, person: 'alice', profile: 'alice' }, env);
  const postern = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8', timeout: 30_000 });
  return { env, postern };
}

describe('Words that are not understood', () => {
  const id = '01a1f952-98ba-7000-a964-b433e292306d';
  for (const { words, why } of [
    { words: ['proxy'], why: /say which proxy: --socks 1080, --http 8080, or both/ },
    { words: ['proxy', '--socks', '-'], why: /A proxy needs a port or a path/ },
    { words: ['connect', 'db', '-L', '-', '--exec', 'psql'], why: /--exec needs a port, not -/ },
    {
      words: ['ssh', '-F', 'config', 'build01'],
      why: /unknown option '-F'\n.*stand behind the name: postern ssh build01 -v/,
    },
    { words: ['agent'], why: /Give --config agent\.yaml, or at least --relay/ },
    { words: ['agent', '--config', 'a.yaml', '--name', 'b'], why: /Give either --config or the options/ },
    { words: ['lease', 'end', 'db'], why: /An id looks like/ },
    { words: ['services', 'token', 'revoke', 'ci', 'nightly'], why: /An id looks like/ },
    { words: ['services', 'token', 'rotate', 'ci', `${id}0`], why: /An id looks like/ },
  ])
    test(`postern ${words.join(' ')}`, (t) => {
      const { status, stdout, stderr } = signedIn(t).postern(...words);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, why);
    });

  test('those that are go on to the relay', (t) => {
    const { postern } = signedIn(t);
    for (const words of [
      ['lease', 'end', id],
      ['services', 'token', 'revoke', 'ci', id],
    ])
      assert.equal(postern(...words).status, 6, words.join(' '));
  });
});

test('postern ssh says that a sign-in is needed before ssh starts, and ends with 4', (t) => {
  const { env, postern } = signedIn(t);
  forgetCredential('alice', env);
  const { status, stderr } = postern('ssh', 'build01', '--', 'uptime');
  assert.equal(status, 4);
  assert.equal(stderr, `You are signed out. Run: postern login ${RELAY}\n`);
});
