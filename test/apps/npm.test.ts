import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Chromium, startChromium } from '../e2e/chromium.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { type NpmProject, npm } from './npm-command.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { tokenFor } from './token.ts';

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

  const project = (name: string, token: string, manifest: object): NpmProject => ({
    directory: join(work, name),
    registry: world.origin('npm'),
    token,
    manifest,
  });

  test('a person publishes a scoped package and installs it elsewhere', async () => {
    const token = await tokenFor(world, await chromium.person(), 'alice', 'npm');
    const content = randomFillSync(Buffer.alloc(3 * 1024 * 1024));
    mkdirSync(join(work, 'left'), { recursive: true });
    writeFileSync(join(work, 'left/content.bin'), content);
    await npm(project('left', token, { name: '@acme/left', version: '1.0.0' }), 'publish', '--access=restricted');
    assert.ok(registry.requests.includes('PUT /@acme%2fleft'), registry.requests.join(', '));

    await npm(project('app', token, { name: 'app', version: '1.0.0' }), 'install', '@acme/left');
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
      npm(project('eve', token, { name: 'eve', version: '1.0.0' }), 'install', '@acme/left'),
      /E403|403 Forbidden/,
    );
    assert.equal(registry.requests.length, before);
  });
});
