import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMPLETION_SCRIPTS } from '../../src/cli/complete/scripts.ts';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const missing = (shell: string) =>
  !['/bin', '/usr/bin'].some((directory) => existsSync(join(directory, shell))) && `no ${shell} here`;

describe('Tab', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-completion-'));
  const env = {
    ...process.env,
    POSTERN_CONFIG_DIR: directory,
    POSTERN_PROFILE: '',
    HOME: directory,
    PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH']}`,
  };
  const resource = (name: string, protocol: string) => ({
    name,
    protocol,
    title: `The ${name}`,
    description: null,
    url: protocol === 'http' ? `https://${name}.access.example.com/` : null,
    tags: [],
  });
  const resources = [
    resource('wiki', 'http'),
    resource('db', 'tcp'),
    resource('build01', 'ssh'),
    resource('build02', 'ssh'),
  ];
  let asked = 0;
  const answers: RequestListener = (req, res) => {
    asked += 1;
    if (req.url === '/api/v1/resources') res.end(JSON.stringify({ resources }));
    else res.writeHead(403, { 'content-type': 'application/json' }).end('{"detail":"Not for you."}');
  };
  const relay = createServer((req, res) => answer(req, res));
  let answer: RequestListener = answers;

  before(async () => {
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/postern'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, {
      mode: 0o755,
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const origin = `http://postern.localhost:${(relay.address() as AddressInfo).port}`;
    for (const profile of ['work', 'home'])
      saveCredential(
        { relay: origin, token: new Secret('pst_x'), expiresAt: Date.now() + 600_000, person: 'alice', profile },
        env,
      );
  });
  after(() => {
    relay.closeAllConnections();
    relay.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function run(command: string, ...args: string[]): Promise<string> {
    const child = spawn(command, args, { env, cwd: directory });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    assert.equal(err, '');
    return out;
  }
  /** As bash has taken the line apart. */
  const inBash = async (...words: string[]) => {
    const script = `source <(postern completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postern
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', '-c', script, '-', ...words)).trim().split('\n');
  };

  it('in bash: commands, options, choices, and names of the relay', async () => {
    assert.ok((await inBash('postern', '')).includes('connect'));
    assert.deepEqual(await inBash('postern', 'agents', 'token', ''), ['create', 'ls', 'revoke', 'help']);
    assert.deepEqual(await inBash('postern', 'agents', 'token', 'create', 'x', '--o'), ['--out']);
    assert.deepEqual(await inBash('postern', 'ls', '-o', 'js'), ['json', 'jsonl']);
    assert.deepEqual(await inBash('postern', 'ls', '--output', '=', 'js'), ['json', 'jsonl']);
    assert.deepEqual(await inBash('postern', 'ls', '--output', '='), ['table', 'json', 'jsonl']);
    assert.deepEqual(await inBash('postern', 'use', ''), ['home', 'work']);
    assert.deepEqual(await inBash('postern', 'ls', '--profile', 'w'), ['work']);
    assert.deepEqual(await inBash('postern', 'connect', ''), ['wiki', 'db', 'build01', 'build02']);
    assert.deepEqual(await inBash('postern', 'token', '--profile', 'work', ''), ['wiki']);
    assert.deepEqual(await inBash('postern', 'ssh', 'bu'), ['build01', 'build02']);
    assert.deepEqual(await inBash('postern', 'ssh', 'root', '@', 'bu'), ['build01', 'build02']);
    // A file, then, by bash itself.
    assert.deepEqual(await inBash('postern', 'config', 'check', ''), ['']);
  });

  it('asks the relay once a minute; one that is silent, or a broken cache, is no hindrance', async () => {
    const before = asked;
    assert.ok(before > 0);
    await inBash('postern', 'connect', '');
    assert.equal(asked, before);
    const cache = join(directory, 'cache/names/home.json');
    assert.equal(statSync(cache).mode & 0o777, 0o600);
    const old = JSON.stringify({ ...(JSON.parse(readFileSync(cache, 'utf8')) as object), askedAt: 1 });
    writeFileSync(cache, old);
    answer = () => {};
    assert.deepEqual(await inBash('postern', 'ssh', ''), ['build01', 'build02']);
    writeFileSync(cache, '{');
    assert.deepEqual(await inBash('postern', 'ssh', ''), ['']);
    answer = answers;
    rmSync(cache);
  });

  it('forgets the names with the sign-in', async () => {
    await inBash('postern', 'connect', '--profile', 'work', '');
    const cache = join(directory, 'cache/names/work.json');
    assert.ok(existsSync(cache));
    const child = spawn('postern', ['logout', '--profile', 'work'], { env, stdio: 'ignore' });
    await once(child, 'exit');
    assert.ok(!existsSync(cache));
    assert.deepEqual(await inBash('postern', 'connect', '--profile', 'work', ''), ['']);
  });

  it('is silent about what goes wrong', async () => {
    assert.equal(await run('postern', '__complete'), await run('postern', '__complete', 'zsh', ''));
    assert.equal(await run('postern', '__complete', 'zsh', 'no-such-command', 'x', ''), '');
    assert.equal(await run('postern', '__complete', 'zsh', 'connect', '--profile', 'nobody', ''), '');
  });

  it('in zsh, with what each is for', { skip: missing('zsh') }, async () => {
    const { status, stderr } = spawnSync('zsh', ['-n'], { input: COMPLETION_SCRIPTS.zsh, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    // What zsh's own completion brings, as far as the script uses it.
    const stands = `compdef() { complete=$1 }; compadd() { print -rl -- $values -- $shown }; _files() { print files }`;
    const inZsh = (...words: string[]) =>
      run('zsh', '-fc', `${stands}; . <(postern completion zsh); words=("$@"); CURRENT=$#; $complete`, 'zsh', ...words);
    assert.equal(await inZsh('postern', 'connect', 'w'), 'wiki\n--\nwiki  The wiki\n');
    assert.match(await inZsh('postern', 'ssh', ''), /^build01\nbuild02\n--\n/);
    assert.equal(await inZsh('postern', 'relay', '--config', ''), 'files\n');
  });

  it('in fish, with what each is for', { skip: missing('fish') }, async () => {
    const inFish = (line: string) => run('fish', '-c', `postern completion fish | source; complete -C '${line}'`);
    assert.equal(await inFish('postern connect w'), 'wiki\tThe wiki\n');
    assert.equal(await inFish('postern ssh root@build01'), 'root@build01\tThe build01\n');
    assert.match(await inFish('postern ls --output='), /^--output=jsonl$/m);
    assert.match(await inFish('postern config check bi'), /^bin\/$/m);
  });
});
