import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Chromium, startChromium } from '../e2e/chromium.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { tokenFor } from './token.ts';

const run = promisify(execFile);
const RESOLVE = new URL('./resolve-localhost.ts', import.meta.url).href;

describe('npm', () => {
  const held = new AsyncDisposableStack();
  const work = mkdtempSync(join(tmpdir(), 'postern-npm-'));
  let world: World;
  let chromium: Chromium;
  let registry: NpmRegistry;

  before(async () => {
    held.defer(() => rm(work, { recursive: true, force: true, maxRetries: 3 }));
    chromium = held.use(await startChromium());
    registry = held.use(await startNpmRegistry());
    world = held.use(await startWorld({ database: 'embedded', resources: { npm: registry.target } }));
  });
  after(() => held.disposeAsync());

  /** npm in a directory of its own, with the token as its registry's. */
  async function npm(name: string, token: string, manifest: object, ...args: string[]): Promise<void> {
    const directory = join(work, name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
    const registryUrl = `${world.origin('npm')}/`;
    const authority = registryUrl.replace(/^http:/, '');
    writeFileSync(join(directory, '.npmrc'), `registry=${registryUrl}\n${authority}:_authToken=${token}\n`);
    // Without what an npm that runs these tests has set. No cache in common: what is installed has come from the registry.
    const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
    const env = {
      ...Object.fromEntries(inherited),
      HOME: directory,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
      NODE_OPTIONS: `--import=${RESOLVE}`,
    };
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=0', '--no-update-notifier'];
    await run('npm', [...args, ...quiet], { cwd: directory, env, timeout: 60_000 });
  }

  test('a person publishes a scoped package and installs it elsewhere', async () => {
    const token = await tokenFor(world, await chromium.person(), 'alice', 'npm');
    const content = randomFillSync(Buffer.alloc(3 * 1024 * 1024));
    mkdirSync(join(work, 'left'), { recursive: true });
    writeFileSync(join(work, 'left/content.bin'), content);
    await npm('left', token, { name: '@acme/left', version: '1.0.0' }, 'publish', '--access=restricted');
    assert.ok(registry.requests.includes('PUT /@acme%2fleft'), registry.requests.join(', '));

    await npm('app', token, { name: 'app', version: '1.0.0' }, 'install', '@acme/left');
    assert.ok(content.equals(readFileSync(join(work, 'app/node_modules/@acme/left/content.bin'))));
    assert.ok(
      registry.requests.some((request) => /^GET .*left-1\.0\.0\.tgz$/.test(request)),
      registry.requests.join(', '),
    );
  });

  test('a contractor cannot install it', async () => {
    const token = await tokenFor(world, await chromium.person(), 'eve', 'npm');
    const before = registry.requests.length;
    await assert.rejects(
      npm('eve', token, { name: 'eve', version: '1.0.0' }, 'install', '@acme/left'),
      /E403|403 Forbidden/,
    );
    assert.equal(registry.requests.length, before);
  });
});
