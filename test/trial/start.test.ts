import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pause } from '../../src/lib/wait.ts';
import { serveTarget } from '../../trial/targets/serve.ts';
import { openAs, startChromium } from '../e2e/chromium.ts';
import { freePort } from '../e2e/free-port.ts';

const MAIN = fileURLToPath(new URL('../../trial/main.ts', import.meta.url));
const LIMIT_MS = 60_000;
/** Linux reports processor time to programs in this unit on every architecture. */
const TICKS_PER_SECOND = 100;

test('a newcomer starts it, puts an app of their own behind it, stops it, and finds everything at the second start', async () => {
  await using place = await newPlace();
  await using chromium = await startChromium();
  const context = await chromium.person();
  await using own = await serveTarget(createHttpServer((_, response) => response.end('<h1>My own app</h1>')));

  {
    const trial = start(place);
    const tour = await trial.ready();
    assert.match(tour, new RegExp(`^Postern is ready: ${place.relay}$`, 'm'));
    assert.match(tour, /eve/);
    const wiki = await openAs(context, 'alice', `http://wiki.postern.localhost:${place.port}/docs/coffee`);
    assert.equal(await wiki.innerText('#who'), 'alice@example.com');
    await wiki.click('text=Edit this page');
    await wiki.fill('textarea', 'It is broken.');
    await wiki.click('button');
    await wiki.waitForSelector('text=It is broken.');

    const add = start(place, ['add', 'myapp', new URL(own.url).host]);
    assert.equal(await add.ended(), 0);
    const page = await context.newPage();
    await page.goto(`http://myapp.postern.localhost:${place.port}/`);
    assert.equal(await page.innerText('h1'), 'My own app');
    const again = start(place, ['add', 'myapp', new URL(own.url).host], { POSTERN_PORT: '' });
    assert.equal(await again.ended(), 0);
    assert.ok(again.said().includes(`myapp is at http://myapp.postern.localhost:${place.port}\n`), again.said());
    await page.reload();
    assert.equal(await page.innerText('h1'), 'My own app', 'adding it twice disturbs nothing');

    trial.child.kill('SIGINT');
    assert.equal(await trial.ended(), 0);
    assert.deepEqual(processesOn(place), []);
  }

  const again = start(place);
  await again.ready();
  const busy = processorSeconds(processesOn(place));
  assert.ok(busy < 10, `a second start is ready within 10 s, of which the processor worked ${busy} s`);
  const wiki = await context.newPage();
  await wiki.goto(`http://wiki.postern.localhost:${place.port}/docs/coffee`);
  assert.match(await wiki.innerText('body'), /It is broken\./, 'still signed in, and the page is kept');
  const page = await context.newPage();
  await page.goto(`http://myapp.postern.localhost:${place.port}/`);
  assert.equal(await page.innerText('h1'), 'My own app');

  again.child.kill('SIGKILL');
  await again.ended();
  const limit = Date.now() + LIMIT_MS;
  while (processesOn(place).length > 0 && Date.now() < limit) await pause(50);
  assert.deepEqual(processesOn(place), [], 'a kill -9 leaves nothing behind');
});

test('a port that is taken is named, with how to move', async () => {
  await using place = await newPlace();
  const other = createServer().listen(place.port, '127.0.0.1');
  await once(other, 'listening');
  const trial = start(place);
  assert.equal(await trial.ended(), 1);
  other.close();
  assert.match(trial.said(), new RegExp(`Port ${place.port} is taken`));
  assert.match(trial.said(), /POSTERN_PORT=\d+ npm start/);
});

test('over SSH it prints the command that brings it to the reader', async () => {
  await using place = await newPlace();
  const trial = start(place, [], { SSH_CONNECTION: '192.0.2.7 50000 192.0.2.1 22' });
  const tour = await trial.ready();
  assert.match(
    tour,
    new RegExp(
      `ssh -N -L ${place.port}:127\\.0\\.0\\.1:${place.port} -L \\d+:127\\.0\\.0\\.1:\\d+ \\S+@192\\.0\\.2\\.1`,
    ),
  );
  trial.child.kill('SIGINT');
  assert.equal(await trial.ended(), 0);
});

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly relay: string;
  readonly children: ChildProcess[];
}

async function newPlace(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-trial-'));
  const port = await freePort();
  const children: ChildProcess[] = [];
  return {
    directory,
    port,
    relay: `http://postern.localhost:${port}`,
    children,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

function start(place: Place, args: string[] = [], extra: NodeJS.ProcessEnv = {}) {
  const { SSH_CONNECTION: _, npm_lifecycle_event: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, POSTERN_PORT: String(place.port), POSTERN_DATA_DIR: place.directory, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  place.children.push(child);
  let text = '';
  let noticed = Promise.withResolvers<void>();
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    noticed.resolve();
    noticed = Promise.withResolvers();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const exited = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    said: () => text,
    ended: async () => (await exited)[0],
    /** The final block, once it is complete. */
    async ready(): Promise<string> {
      while (!/^Postern is ready:[\s\S]*Ctrl-C stops everything/m.test(text)) {
        const ended = await Promise.race([noticed.promise, exited]);
        if (ended) throw new Error(`It ended early:\n${text}`);
      }
      return text.slice(text.indexOf('Postern is ready:'));
    },
  };
}

/** Ids of the processes, this one's children or not, that were started for the place. */
function processesOn({ directory }: Place): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const environment = procFile(`${name}/environ`);
    return environment.includes(`POSTERN_DATA_DIR=${directory}\0`) || procFile(`${name}/cmdline`).includes(directory);
  });
}

/** How long the processor has worked for these, which says the same on a busy machine as on an idle one. */
function processorSeconds(pids: readonly string[]): number {
  const ticks = pids.flatMap((pid) =>
    procFile(`${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 13),
  );
  return ticks.reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;
}

function procFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
