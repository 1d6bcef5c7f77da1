import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { npmProgram } from '../../tools/npm-programs.ts';
import { type Chromium, startChromium } from '../e2e/chromium.ts';
import { signInCommandLine } from '../e2e/command-line.ts';
import { freePort } from '../e2e/free-port.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { notInstalled } from './missing.ts';
import { npm } from './npm-command.ts';
import { startServer } from './server-program.ts';
import { tokenFor } from './token.ts';

const VERDACCIO = npmProgram('verdaccio');

describe('Verdaccio', { skip: notInstalled(VERDACCIO) }, () => {
  const held = new AsyncDisposableStack();
  const work = mkdtempSync(join(tmpdir(), 'postern-verdaccio-'));
  const storage = join(work, 'storage');
  let world: World;
  let chromium: Chromium;

  before(async () => {
    held.defer(() => rm(work, { recursive: true, force: true, maxRetries: 3 }));
    const port = await freePort();
    const file = join(work, 'config.yaml');
    // Open to everybody: who may do what is Postern's to say.
    const packages = { '**': { access: '$all', publish: '$all' } };
    const auth = { htpasswd: { file: join(work, 'htpasswd'), max_users: -1 } };
    const log = { type: 'stdout', level: 'warn' };
    writeFileSync(file, stringify({ storage, packages, auth, log, web: { enable: false } }));
    held.use(await startServer(process.execPath, [VERDACCIO, '-c', file, '-l', `127.0.0.1:${port}`], port));
    chromium = held.use(await startChromium());
    const resources = { npm: `http://127.0.0.1:${port}` };
    world = held.use(await startWorld({ database: 'embedded', resources }));
  });
  after(() => held.disposeAsync());

  const project = (name: string, token: string, manifest: object) => ({
    directory: join(work, name),
    registry: world.origin('npm'),
    token,
    manifest,
  });

  test('a person publishes a scoped package and installs it elsewhere; each request is in the log', async () => {
    const token = await tokenFor(world, await chromium.person(), 'alice', 'npm');
    const content = randomFillSync(Buffer.alloc(3 * 1024 * 1024));
    mkdirSync(join(work, 'left'));
    writeFileSync(join(work, 'left/content.bin'), content);
    await npm(project('left', token, { name: '@acme/left', version: '1.0.0' }), 'publish', '--access=restricted');
    assert.ok(existsSync(join(storage, '@acme/left/left-1.0.0.tgz')));
    await npm(project('app', token, { name: 'app', version: '1.0.0' }), 'install', '@acme/left');
    assert.ok(content.equals(readFileSync(join(work, 'app/node_modules/@acme/left/content.bin'))));

    const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
    const records = await auditor.audit('who:alice@example.com resource:npm');
    const seen = records.map(({ method, personal }) => `${method} ${personal?.path}`);
    for (const access of ['PUT /@acme%2fleft', 'GET /@acme%2fleft', 'GET /@acme/left/-/left-1.0.0.tgz'])
      assert.ok(seen.includes(access), `${access} in ${seen.join(', ')}`);
  });

  test('a contractor publishes and installs nothing', async () => {
    const token = await tokenFor(world, await chromium.person(), 'eve', 'npm');
    const denied = /E403|403 Forbidden/;
    const mine = project('right', token, { name: '@acme/right', version: '1.0.0' });
    await assert.rejects(npm(mine, 'publish', '--access=restricted'), denied);
    assert.equal(existsSync(join(storage, '@acme/right')), false);
    const app = project('eve', token, { name: 'eve', version: '1.0.0' });
    await assert.rejects(npm(app, 'install', '@acme/left'), denied);
  });
});
