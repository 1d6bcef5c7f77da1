import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CURL = '/usr/bin/curl';

describe('postern curl', {
  skip: !existsSync(CURL) && 'no curl; on Debian: apt-get install curl',
  timeout: 120_000,
}, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-curl-'));
  const env = {
    ...process.env,
    POSTERN_CONFIG_DIR: directory,
    POSTERN_PROFILE: '',
    HOME: directory,
    PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH']}`,
  };
  const log = join(directory, 'command-lines');
  const atEcho: IncomingMessage[] = [];
  const elsewhere: IncomingMessage[] = [];
  let whole: WholeRelay;
  let app = '';
  let other = '';

  async function curl(args: readonly string[], input = '') {
    const child = spawn(process.execPath, [MAIN, 'curl', '-sS', ...args], { env });
    child.stdin.end(input);
    const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { status: status as number | null, out, err };
  }

  before(async () => {
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    const listen = async (server: ReturnType<typeof createServer>) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      undo.defer(() => {
        server.closeAllConnections();
        server.close();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    other = await listen(
      createServer((req, res) => {
        elsewhere.push(req);
        res.end('elsewhere');
      }),
    );
    const target = await listen(
      createServer((req, res) => {
        atEcho.push(req);
        if (req.url === '/away') return void res.writeHead(302, { location: `${other}/stolen` }).end();
        if (req.url === '/on') return void res.writeHead(302, { location: '/arrived' }).end();
        void text(req).then((body) => res.end(`${req.method} ${String(req.headers['remote-user'])} ${body}`));
      }),
    );
    whole = undo.use(await startWholeRelay());
    const root = await whole.signIn('root', ['admins']);
    await whole.startAgent({ echo: target }, root);
    app = whole.app('echo');
    const token = new Secret(await whole.issueToken(await whole.signIn('alice', [])));
    saveCredential({ relay: whole.origin, token, expiresAt: Date.now() + 600_000, person: 'alice' }, env);
    // Sees what it is called with, and is curl.
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/curl'), `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\nexec ${CURL} "$@"\n`, {
      mode: 0o755,
    });
    // It would send everything to the other place.
    writeFileSync(join(directory, '.curlrc'), `url = "${other}/curlrc"\nlocation-trusted\n`);
  });
  after(() => undo.disposeAsync());

  it('is curl, as the person: output, input, and the exit code of curl', async () => {
    assert.deepEqual(await curl([`${app}/`]), { status: 0, out: 'GET alice@example.com ', err: '' });
    const posted = await curl(['-d', '@-', '-H', 'Content-Type: text/plain', `${app}/form`], 'from standard input');
    assert.equal(posted.out, 'POST alice@example.com from standard input');
    const failed = await curl(['--fail', '--max-time', '20', `${whole.app('wiki')}/nothing-serves-it`]);
    assert.equal(failed.status, 22);
    assert.equal(elsewhere.length, 0);
    assert.ok(!readFileSync(log, 'utf8').includes('pst_'));
    assert.match(readFileSync(log, 'utf8'), /^-q --config \/dev\/fd\/3 /m);
  });

  it('follows redirects, and takes the token nowhere else', async () => {
    assert.equal((await curl(['-L', `${app}/on`])).out, 'GET alice@example.com ');
    assert.equal((await curl(['-L', `${app}/away`])).out, 'elsewhere');
    assert.equal(elsewhere.length, 1);
    const arrived = JSON.stringify(elsewhere[0]?.rawHeaders);
    assert.ok(!arrived.includes('pst_') && !/authorization/i.test(arrived), arrived);
  });

  it('leaves an authorization of the person to the app', async () => {
    const { out } = await curl(['-u', 'a:b', `${app}/own`]);
    assert.equal(out, 'GET alice@example.com ');
    assert.equal(atEcho.at(-1)?.headers.authorization, 'Basic YTpi');
    const refused = await curl(['-u', 'a:b', '-L', `${app}/away`]);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /Leave -L out/);
  });

  it('asks nobody else: other hosts, the relay itself, a person who is signed out', async () => {
    const before = atEcho.length;
    for (const url of [`${other}/`, `${whole.origin}/api/v1/me`]) {
      const { status, err } = await curl([url]);
      assert.equal(status, 1, url);
      assert.match(err, /There is no app at/);
    }
    assert.equal((await curl(['--profile', 'nobody', `${app}/`])).status, 1);
    assert.equal(elsewhere.length, 1);
    assert.equal(atEcho.length, before);
  });
});
