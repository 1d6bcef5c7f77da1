import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Chromium, startChromium } from '../e2e/chromium.ts';
import { type CommandLine, signInCommandLine } from '../e2e/command-line.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { GIT_SERVER_FILES, type GitServer, startGitServer } from './git-server.ts';
import { missing } from './missing.ts';
import { tokenFor } from './token.ts';

/** What is pushed, in MB that do not compress. The full measure is 200; a quarter of it keeps the run short. */
const PACK_MB = Number(process.env['POSTERN_TEST_PACK_MB'] ?? 40);
const run = promisify(execFile);

describe('git over HTTP', { skip: missing(GIT_SERVER_FILES, 'nginx-light fcgiwrap git') }, () => {
  const held = new AsyncDisposableStack();
  const work = mkdtempSync(join(tmpdir(), 'postern-work-'));
  let world: World;
  let chromium: Chromium;
  let server: GitServer;

  before(async () => {
    held.defer(() => rm(work, { recursive: true, force: true, maxRetries: 3 }));
    chromium = held.use(await startChromium());
    server = held.use(await startGitServer());
    const git = { target: server.target, headers: { 'Remote-User': 'email' } };
    world = held.use(await startWorld({ database: 'embedded', resources: { git } }));
  });
  after(() => held.disposeAsync());

  async function git(token: string | undefined, ...args: string[]): Promise<string> {
    const credential = token === undefined ? [] : ['-c', `http.extraHeader=Postern-Token: ${token}`];
    const env = { ...process.env, HOME: work, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
    const who = ['-c', 'user.name=Alice', '-c', 'user.email=alice@example.com', '-c', 'init.defaultBranch=main'];
    return (await run('git', [...who, ...credential, ...args], { cwd: work, env, timeout: 240_000 })).stdout;
  }

  test('a person pushes a large pack, and clones it again; each request is in the log', async () => {
    const token = await tokenFor(world, await chromium.person(), 'alice', 'git');
    const remote = `${world.origin('git')}/story.git`;
    await git(token, 'clone', '--quiet', remote, 'one');
    const content = randomFillSync(Buffer.alloc(PACK_MB * 1024 * 1024));
    writeFileSync(join(work, 'one/large.bin'), content);
    await git(token, '-C', 'one', 'add', '.');
    await git(token, '-C', 'one', 'commit', '--quiet', '-m', 'A large file');
    await git(token, '-C', 'one', 'push', '--quiet', 'origin', 'HEAD:main');
    assert.equal(server.git('rev-parse', 'main'), await git(undefined, '-C', 'one', 'rev-parse', 'HEAD'));
    server.git('fsck', '--strict');

    await git(token, 'clone', '--quiet', remote, 'two');
    assert.ok(content.equals(readFileSync(join(work, 'two/large.bin'))));
    writeFileSync(join(work, 'two/small.txt'), 'more\n');
    await git(token, '-C', 'two', 'add', '.');
    await git(token, '-C', 'two', 'commit', '--quiet', '-m', 'A small file');
    await git(token, '-C', 'two', 'push', '--quiet', 'origin', 'HEAD:main');
    await git(token, '-C', 'one', 'pull', '--quiet', 'origin', 'main');
    assert.equal(readFileSync(join(work, 'one/small.txt'), 'utf8'), 'more\n');

    const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
    const records = await auditor.audit('who:alice@example.com resource:git');
    const paths = new Set(records.map(({ method, personal }) => `${method} ${personal?.path}`));
    for (const access of [
      'GET /story.git/info/refs',
      'POST /story.git/git-receive-pack',
      'POST /story.git/git-upload-pack',
    ])
      assert.ok(paths.has(access), access);
    assert.ok(records.some(({ outcome }) => (outcome?.bytesDown ?? 0) > content.length));
    assert.deepEqual([...new Set(records.map(({ outcome }) => outcome?.end))], ['completed']);
  });

  test('a contractor, a stranger and a token for another resource get nothing', async () => {
    const remote = `${world.origin('git')}/story.git`;
    const eve = await tokenFor(world, await chromium.person(), 'eve', 'git');
    await assert.rejects(git(eve, 'clone', '--quiet', remote, 'eve'), /403/);
    await assert.rejects(git(undefined, 'clone', '--quiet', remote, 'stranger'), /401|could not read Username/);
    await assert.rejects(git('pst_wrong', 'clone', '--quiet', remote, 'wrong'), /401|could not read Username/);
  });

  /** git by way of a local port, which adds the person to each request. It knows of no token. */
  async function gitByPort(cli: CommandLine, ...args: string[]): Promise<string> {
    const settings = `HOME=${work} GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C`;
    const who = '-c user.name=Alice -c user.email=alice@example.com';
    return cli.run('connect', 'git', '--exec', `cd ${work} && ${settings} git ${who} ${args.join(' ')}`);
  }

  test('postern connect: git clones and pushes without a token, by a port of this machine', async () => {
    const alice = await signInCommandLine(world, await chromium.person(), 'alice');
    const remote = 'http://127.0.0.1:{port}/story.git';
    await gitByPort(alice, 'clone', '--quiet', remote, 'three');
    const content = randomFillSync(Buffer.alloc(5 * 1024 * 1024));
    writeFileSync(join(work, 'three/by-port.bin'), content);
    await git(undefined, '-C', 'three', 'add', '.');
    await git(undefined, '-C', 'three', 'commit', '--quiet', '-m', 'By a port');
    await gitByPort(alice, '-C', 'three', 'push', '--quiet', remote, 'HEAD:main');
    assert.equal(server.git('rev-parse', 'main'), await git(undefined, '-C', 'three', 'rev-parse', 'HEAD'));
    await gitByPort(alice, 'clone', '--quiet', remote, 'four');
    assert.ok(content.equals(readFileSync(join(work, 'four/by-port.bin'))));
  });

  test('postern connect: a contractor gets nothing by it', async () => {
    const eve = await signInCommandLine(world, await chromium.person(), 'eve');
    const refused = await gitByPort(eve, 'clone', '--quiet', 'http://127.0.0.1:{port}/story.git', 'eve-by-port').then(
      () => assert.fail('it was cloned'),
      (error: { code: number; stderr: string }) => error,
    );
    assert.ok(refused.code > 0);
    assert.match(refused.stderr, /git: /);
    assert.ok(!existsSync(join(work, 'eve-by-port/.git/refs/heads/main')));
  });
});
