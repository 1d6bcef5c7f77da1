import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { headerName } from '../../src/gateway/target/header-kind.ts';
import { HOP_BY_HOP } from '../../src/lib/hop-by-hop.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(new URL('../../docs/reference/headers.md', import.meta.url), 'utf8');
const EXAMPLE = /```js\n([^]+?)```/.exec(page)?.[1] ?? '';

/** `*.localhost` is this machine to browsers, and not to Node's resolver. */
const LOCALHOST = `data:text/javascript,${encodeURIComponent(
  "import dns from 'node:dns'; const { lookup } = dns; dns.lookup = (host, ...more) => lookup(host.endsWith('.localhost') ? 'localhost' : host, ...more);",
)}`;

describe('docs/reference/headers.md', { timeout: 60_000 }, () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let alice: string;
  let example: string;
  let seen: string[] = [];

  before(async () => {
    whole = undo.use(await startWholeRelay());
    alice = await whole.signIn('alice', ['employees', 'engineering']);
    const port = await freePort();
    example = `http://127.0.0.1:${port}`;
    const program = spawn(process.execPath, ['--import', LOCALHOST, '--input-type=module', '--eval', EXAMPLE], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, RELAY: whole.origin, ORIGIN: whole.app('wiki'), PORT: String(port) },
    });
    undo.defer(async () => {
      const gone = once(program, 'exit');
      if (program.kill()) await gone;
    });
    await eventually(() => fetch(example).catch(() => undefined));
    const echo = createServer((request, response) => {
      seen = request.rawHeaders;
      response.setHeader('set-cookie', ['__Host-postern-session=planted; Path=/; Secure', 'mine=1']);
      response.setHeader('clear-site-data', '"cookies", "cache"');
      response.end();
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    undo.defer(() => {
      echo.closeAllConnections();
      echo.close();
    });
    const targets = { wiki: example, echo: `http://127.0.0.1:${(echo.address() as AddressInfo).port}` };
    await whole.startAgent(targets, await whole.signIn('root', ['admins']));
  });
  after(() => undo.disposeAsync());

  const through = async (app: string, headers: Readonly<Record<string, string>> = {}) => {
    const token = await whole.tokenFor(app, alice);
    return whole.ask(`${whole.app(app)}/`, { headers: { 'postern-token': token, ...headers } });
  };
  const received = (name: string) => seen.filter((_, at) => at % 2 === 1 && seen[at - 1]?.toLowerCase() === name);

  it('has an example that greets whom Postern lets in', async () => {
    const answer = await through('wiki');
    assert.equal(answer.body, 'Hello alice@example.com\n');
    assert.ok(EXAMPLE.trim().split('\n').length <= 16, 'short');
  });

  it('has an example that greets nobody else', async () => {
    await through('echo');
    const [other = ''] = received('x-postern-assertion');
    assert.match(other, /^[\w-]+\.[\w-]+\.[\w-]+$/, 'an assertion, for another app');
    const [head, , signature] = other.split('.');
    const claims = { iss: whole.origin, aud: whole.app('wiki'), sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    for (const assertion of [undefined, 'nonsense', other, forged]) {
      const headers = assertion === undefined ? {} : { 'x-postern-assertion': assertion };
      const answer = await fetch(example, { headers });
      assert.equal(answer.status, 401);
      assert.equal(await answer.text(), 'Come through Postern.\n');
    }
  });

  it('names every claim', async () => {
    await through('echo');
    const [assertion = ''] = received('x-postern-assertion');
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as object;
    const section = page.split('| claim |')[1]?.split('\n\n')[0] ?? '';
    const documented = section
      .split('\n')
      .slice(2)
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
    assert.deepEqual(Object.keys(claims).toSorted(), documented.toSorted());
  });

  it('names what is added, and none of it can come from the client', async () => {
    const lies = Object.fromEntries(
      [
        'X-Postern-Assertion',
        'X_Postern_Admin',
        'X-Request-Id',
        'X-Forwarded-For',
        'X_Forwarded-Host',
        'Forwarded',
        'X-Real-IP',
        'Remote-User',
        'remote_user',
        'X.Groups',
      ].map((name) => [name, 'a-lie']),
    );
    const { status } = await through('echo', {
      ...lies,
      'X-Own': 'kept',
      connection: 'close, x-listed',
      'x-listed': 'a-lie',
    });
    assert.equal(status, 200);
    assert.ok(!seen.includes('a-lie'), seen.join('\n'));
    assert.deepEqual(received('x-own'), ['kept']);
    assert.deepEqual(received('remote-user'), ['alice@example.com']);
    assert.deepEqual(received('x-groups'), ['employees,engineering']);
    assert.deepEqual(received('postern-token'), []);
    assert.deepEqual(received('x-forwarded-host'), [new URL(whole.app('echo')).host]);
    const added = page.split('| header | what arrives |')[1]?.split('\n\n')[0] ?? '';
    const documented = new Set([...added.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name?.toLowerCase()));
    const own = new Set(['accept', 'connection', 'x-own', 'remote-user', 'x-groups']);
    for (const [at, name] of seen.entries()) {
      if (at % 2 === 0 && !own.has(name.toLowerCase())) assert.ok(documented.has(name.toLowerCase()), name);
    }
  });

  it('names what is reserved and what ends at the hop', () => {
    const reserved = [...(page.split('| name |')[1]?.split('\n\n')[0] ?? '').matchAll(/`([\w*-]+)`/g)];
    const names = reserved.map(([, name = '']) => name).filter((name) => name !== 'headers');
    assert.ok(names.length >= 6);
    for (const name of names) assert.equal(headerName(name.replace('*', 'anything')).kind, 'drop', name);
    const hop = /Fields of one hop[^]+?\n\n/.exec(page)?.[0] ?? '';
    const fields = [...hop.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name.toLowerCase());
    for (const name of fields) if (name !== 'connection') assert.equal(headerName(name).kind, 'drop', name);
    assert.deepEqual(fields.toSorted(), ['connection', 'expect', 'trailer', ...HOP_BY_HOP].toSorted());
  });

  it('keeps from the client what it says it keeps', async () => {
    const { headers } = await through('echo');
    assert.deepEqual(headers['set-cookie'], ['mine=1']);
    assert.equal(headers['clear-site-data'], '"cache"');
  });
});
