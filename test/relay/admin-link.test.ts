import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { askAdminLink } from '../../src/cli/admin-link.ts';
import type { AdminLinks } from '../../src/identity/sign-in/admin-links.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { openAdminSocket } from '../../src/relay/admin-socket.ts';
import { openChromium } from '../control/chromium.ts';
import { type RecordingTarget, startRecordingTarget } from '../e2e/recording-target.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { Browser } from '../identity/browser.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('postern admin link, beside a running relay', () => {
  const held = new AsyncDisposableStack();
  let world: World;
  let target: RecordingTarget;
  const browser = new Browser();
  const link = async () => {
    const { stdout } = await run(process.execPath, [
      MAIN,
      'admin',
      'link',
      '--config',
      join(world.directory, 'postern.yaml'),
    ]);
    return stdout.trim();
  };

  before(async () => {
    target = held.use(await startRecordingTarget());
    world = held.use(
      await startWorld({
        database: 'embedded',
        resources: { wiki: target.url },
        policy: { rules: [{ id: 'all', effect: 'allow', who: ['anyone-signed-in'], what: ['any-resource'] }] },
      }),
    );
  });
  after(() => held.disposeAsync());

  const open = (who: Browser, url: string, headers: Record<string, string> = {}) =>
    who.json(
      `${world.relay}/admin-link`,
      'POST',
      { code: new URLSearchParams(new URL(url).hash.slice(1)).get('code') },
      headers,
    );

  test('looking at the address opens nothing and uses nothing up; nor does another page', async () => {
    const url = await link();
    assert.equal(new URL(url).search, '', 'the code stays in the browser');
    for (const scanner of [new Browser(), browser]) {
      const looked = await scanner.visit(url);
      assert.equal(looked.status, 200);
      assert.match(looked.body, /<button>Sign in<\/button>/);
      assert.equal(looked.headers['set-cookie'], undefined);
      assert.equal(looked.headers['cache-control'], 'no-store');
      assert.equal(looked.headers['referrer-policy'], 'no-referrer');
    }
    const planted = await open(browser, url, { origin: world.origin('wiki'), 'sec-fetch-site': 'same-site' });
    assert.deepEqual([planted.status, planted.headers['set-cookie']], [403, undefined]);
    assert.equal((await open(browser, url, { origin: 'null' })).status, 403);
    assert.equal((await browser.send(`${world.relay}/admin-link`, FORM)).status, 415);
    assert.equal((await open(browser, url)).status, 200, 'its twin: the button of the page');
  });

  test('the button opens one short session with the role admin', async () => {
    const url = await link();
    assert.equal(new URL(url).origin, world.relay);
    const opened = await open(browser, url);
    assert.equal(opened.status, 200);
    assert.deepEqual(JSON.parse(opened.body), { location: '/' });
    assert.equal(opened.headers['cache-control'], 'no-store');
    const me = JSON.parse((await browser.json(`${world.relay}/api/v1/me`, 'GET', undefined)).body) as {
      roles: string[];
      session: { signedInAt: number; expiresAt: number };
    };
    assert.deepEqual(me.roles, ['admin']);
    assert.equal(me.session.expiresAt - me.session.signedInAt, 15 * 60_000);

    const again = await open(new Browser(), url);
    assert.equal(again.status, 403, 'a link opens once');
    assert.equal(again.headers['set-cookie'], undefined);
    assert.equal((await open(new Browser(), `${world.relay}/admin-link#code=${'A'.repeat(64)}`)).status, 403);
  });

  test('a person opens the address in a browser and presses the button', { timeout: 60_000 }, async () => {
    const chromium = await openChromium();
    try {
      const page = await chromium.context.newPage();
      await page.goto(await link());
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${world.relay}/`);
      const me = await page.goto(`${world.relay}/api/v1/me`);
      assert.equal(me?.status(), 200);
    } finally {
      await chromium.dispose();
    }
  });

  test('no app opens, even where everyone signed in may', async () => {
    const before = target.seen.length;
    const page = await browser.visit(`${world.origin('wiki')}/`);
    assert.equal(page.status, 403, page.body.slice(0, 300));
    assert.equal(target.seen.length, before);
  });

  test('making and using it are on record', async () => {
    const { body } = await browser.json(`${world.relay}/api/v1/audit?limit=50`, 'GET', undefined);
    const { rows } = JSON.parse(body) as { rows: { kind: string; summary: string; person: { name: string } | null }[] };
    const made = rows.find(({ kind }) => kind === 'token.issued');
    assert.match(made?.summary ?? '', /\/admin-link$/);
    assert.match(made?.person?.name ?? '', / on the relay's machine$/);
    assert.match(rows.find(({ kind }) => kind === 'sign_in.completed')?.person?.name ?? '', / on the relay's machine$/);
  });

  test('beyond four sessions the oldest ends, on record', async () => {
    const others = [new Browser(), new Browser(), new Browser(), new Browser()];
    for (const other of others) assert.equal((await open(other, await link())).status, 200);
    assert.equal((await browser.json(`${world.relay}/api/v1/me`, 'GET', undefined)).status, 401);
    const newest = others.at(-1) ?? browser;
    const { body } = await newest.json(`${world.relay}/api/v1/audit?query=kind:session.ended`, 'GET', undefined);
    const { rows } = JSON.parse(body) as { rows: { summary: string }[] };
    assert.ok(
      rows.some(({ summary }) => summary === 'Session ended: the session was revoked'),
      body,
    );
  });

  test('the socket is for the relay’s own user, and nothing of it is on the network', async () => {
    const socket = join(world.directory, 'relay', 'admin.sock');
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    assert.equal(statSync(join(world.directory, 'relay')).mode & 0o077, 0);
    const over = await new Browser().json(`${world.relay}/admin-link`, 'POST', { user: 'eve' });
    assert.equal(over.status, 400);
    if (process.getuid?.() === 0)
      await assert.rejects(
        run('setpriv', ['--reuid=65534', '--clear-groups', process.execPath, '-e', CONNECT, socket]),
        /EACCES/,
      );
  });

  test('without a relay it says so', async () => {
    const file = join(world.directory, 'away.yaml');
    writeFileSync(join(world.directory, 'secret'), 'x');
    writeFileSync(
      file,
      'relay: { url: http://postern.localhost:1, listen: 127.0.0.1:1 }\ndataDir: ./nobody\nprovider: { issuer: https://id.test, clientId: p, clientSecretFile: ./secret }\nroles: { admin: { groups: [a] } }\n',
    );
    await assert.rejects(
      run(process.execPath, [MAIN, 'admin', 'link', '--config', file]),
      (error: { code?: number; stderr?: string }) => error.code === 6 && /No relay answers in/.test(error.stderr ?? ''),
    );
  });
});

/** What a form of any page can send. */
const FORM = {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'code=x',
};
const CONNECT = `require('node:net').connect(process.argv[1]).on('connect', () => process.exit(0)).on('error', (error) => { console.error(error.code); process.exit(1); })`;
const LISTEN = `require('node:net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log('listens'))`;

describe('its socket', () => {
  const directory = join(mkdtempSync(join(tmpdir(), 'postern-socket-')), 'deep'.repeat(30));
  mkdirSync(directory, { recursive: true });
  after(() => rmSync(join(directory, '..'), { recursive: true }));
  const users: string[] = [];
  const links: AdminLinks = {
    create: (user) => {
      users.push(user);
      return Promise.resolve({ url: 'https://access.test/admin-link#code=x', expiresAt: 1 });
    },
    open: () => assert.fail('nobody opens here'),
  };

  test('a relay that is frozen keeps its own, also where nobody more can wait', async () => {
    const path = mkdtempSync(join(tmpdir(), 'postern-socket-'));
    const socket = join(path, 'admin.sock');
    const frozen = spawn(process.execPath, ['-e', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const waiting: Socket[] = [];
    try {
      await once(frozen.stdout, 'data');
      frozen.kill('SIGSTOP');
      for (let n = 0; n < 8; n += 1) waiting.push(connect(socket).on('error', () => {}));
      await assert.rejects(openAdminSocket(path, links), (error) => hasCode(error, 'config_invalid'));
      assert.ok(statSync(socket).isSocket());
    } finally {
      frozen.kill('SIGKILL');
      for (const each of waiting) each.destroy();
      rmSync(path, { recursive: true });
    }
  });

  test('works in a directory with a long path; a second relay there is refused; a crashed one leaves nothing in the way', async () => {
    {
      await using _ = await openAdminSocket(directory, links);
      assert.equal((await askAdminLink(directory, 'root')).expiresAt, 1);
      await assert.rejects(openAdminSocket(directory, links), (error) => hasCode(error, 'config_invalid'));
      assert.equal((await askAdminLink(directory, 'sam as root')).expiresAt, 1);
    }
    writeFileSync(join(directory, 'admin.sock'), '');
    await using _ = await openAdminSocket(directory, links);
    await askAdminLink(directory, 'after');
    assert.deepEqual(users, ['root', 'sam as root', 'after']);
  });

  test('refuses what is not a request for a link', async () => {
    const short = mkdtempSync(join(tmpdir(), 'postern-socket-'));
    await using _ = await openAdminSocket(short, links);
    const ask = (path: string, body: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const req = request({ socketPath: join(short, 'admin.sock'), path, method: 'POST' }, (res) => {
          res.resume();
          resolve(res.statusCode);
        });
        req.on('error', reject);
        req.end(body);
      });
    const before = users.length;
    assert.equal(await ask('/other', '{"user":"a"}'), 500);
    assert.equal(await ask('/admin-link', '{"user":"a\\u0007"}'), 500);
    assert.equal(await ask('/admin-link', 'nonsense'), 500);
    assert.equal(await ask('/admin-link', `{"user":"${'a'.repeat(5000)}"}`), 500);
    assert.equal(users.length, before);
    rmSync(short, { recursive: true, force: true });
  });
});
