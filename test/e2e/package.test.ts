import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../eventually.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** As somebody who has only npm and the package. */
describe('the packed package', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-package-'));
  const held = new AsyncDisposableStack();
  const postern = (...args: string[]) => run('npx', ['--no', '--', 'postern', ...args], { cwd: directory });

  before(async () => {
    await run(process.execPath, [join(root, 'tools/pack.ts'), directory]);
    const [tarball = ''] = readdirSync(directory).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`], { cwd: directory });
  });
  after(async () => {
    await held.disposeAsync();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });

  test('answers as the checkout does, and brings no TypeScript', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await postern('--version')).stdout, `${version}\n`);
    assert.match((await postern('--help')).stdout, /relay .*\n.*agent /);
    const files = readdirSync(join(directory, 'node_modules/postern'), { recursive: true, encoding: 'utf8' });
    assert.ok(files.includes('dist/main.js'));
    assert.deepEqual(
      files.filter((file) => /\.tsx?$|^(src|test|trial|tools|bench)\b|\.test\./.test(file)),
      [],
    );
  });

  test('every module loads', async () => {
    const package_ = join(directory, 'node_modules/postern');
    const modules = readdirSync(join(package_, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.js') && file !== 'main.js' && !file.endsWith('worker.js'),
    );
    assert.ok(modules.length > 150);
    const load = modules.map((file) => `await import(${JSON.stringify(join(package_, 'dist', file))});`).join('\n');
    writeFileSync(join(directory, 'load.mjs'), `${load}\nprocess.exit(0);\n`);
    await run(process.execPath, ['load.mjs'], { cwd: directory });
  });

  test('starts a relay on files of its own making, with the embedded database and the console', async () => {
    await postern('config', 'init');
    const [port, metrics] = [await freePort(), await freePort()];
    const file = join(directory, 'postern.yaml');
    const text = readFileSync(file, 'utf8')
      .replace('https://access.example.com\n', `http://postern.localhost:${port}\n`)
      .replace('listen: 127.0.0.1:8080', `listen: 127.0.0.1:${port}`)
      .replace('# metrics: 127.0.0.1:9090', `metrics: 127.0.0.1:${metrics}`);
    writeFileSync(file, text);
    writeFileSync(join(directory, 'client-secret'), 'hunter2\n');
    assert.match((await postern('config', 'check', 'postern.yaml')).stdout, /1 resource, 1 agent, 1 rule/);

    const main = join(directory, 'node_modules/postern/dist/main.js');
    const relay = spawn(join(directory, 'node_modules/.bin/node'), [main, 'relay', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    relay.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const ended = once(relay, 'exit') as Promise<[number | null]>;
    held.defer(async () => {
      relay.kill('SIGKILL');
      await ended;
    });
    const health = (path: string) =>
      fetch(`http://127.0.0.1:${metrics}/health/${path}`).then(
        ({ status }) => status,
        () => 0,
      );
    await eventually(
      async () => relay.exitCode !== null || (await health('ready')) === 200,
      () => said,
    );
    assert.equal(relay.exitCode, null, said);
    assert.equal(await health('startup'), 200);

    const [asset = ''] = readdirSync(join(directory, 'node_modules/postern/web/dist/assets'));
    const [answer] = (await once(
      get(`http://127.0.0.1:${port}/assets/${asset}`, { headers: { host: `postern.localhost:${port}` } }),
      'response',
    )) as [IncomingMessage];
    assert.equal(answer.resume().statusCode, 200, asset);

    relay.kill('SIGTERM');
    assert.deepEqual((await ended)[0], 0, said);
  });
});
