import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { saveCredential } from '../../src/client/credentials.ts';
import { ClientTunnel } from '../../src/client/tunnel/client-tunnel.ts';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { Secret } from '../../src/lib/secret.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { type RecordingTarget, startRecordingTarget } from '../e2e/recording-target.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const exec = promisify(execFile);

const RULES = [
  { id: 'ci-uses-everything', effect: 'allow', who: ['service:ci'], what: ['any-resource'] },
  { id: 'people-use-everything', effect: 'allow', who: ['anyone-signed-in'], what: ['any-resource'] },
];

interface Token {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: number;
}

describe('A program with an identity of its own', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-services-'));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory };
  let whole: WholeRelay;
  let target: RecordingTarget;
  let root = '';
  let ci: Token;

  const postern = (...args: string[]) => exec(process.execPath, [MAIN, 'services', ...args], { env });
  const create = async (name: string, ...more: string[]): Promise<Token> =>
    JSON.parse((await postern('token', 'create', name, '--json', ...more)).stdout) as Token;
  const visit = (app: string, path: string, headers: Record<string, string>) =>
    whole.ask(`${whole.app(app)}${path}`, { headers });
  const records = async (query: string) => {
    const path = `/api/v1/audit/entries?query=${encodeURIComponent(query)}`;
    const { body } = await whole.ask(path, { headers: { cookie: root } });
    const { entries } = JSON.parse(body) as { entries: { event: Record<string, unknown>; row: { summary: string } }[] };
    return entries;
  };

  before(async () => {
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    whole = undo.use(await startWholeRelay({ resources: { db: { protocol: 'tcp', agent: 'office' } }, rules: RULES }));
    target = undo.use(await startRecordingTarget());
    const database = createServer((socket) => socket.on('error', () => undefined).end('a row'));
    await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
    undo.defer(() => void database.close());
    root = await whole.signIn('root', ['admins']);
    const { port } = database.address() as AddressInfo;
    await whole.startAgent({ wiki: target.url, echo: target.url, db: `127.0.0.1:${port}` }, root);
    const token = new Secret(await whole.issueToken(root));
    saveCredential({ relay: whole.origin, token, expiresAt: Date.now() + 600_000, person: 'root' }, env);
  });
  after(() => undo.disposeAsync());

  it('is made by an admin; its token is printed once, on standard output alone', async () => {
    await postern('create', 'ci', '--description', 'builds');
    const { stdout, stderr } = await postern('token', 'create', 'ci', '--for', 'wiki', 'db', '--label', 'nightly');
    assert.match(stdout, /^pst_[\w-]{64}\n$/);
    assert.ok(!stderr.includes(stdout.trim()));
    ci = await create('ci', '--for', 'wiki', 'db', '--life', '30d');
    const { stdout: listed } = await postern('ls');
    assert.match(listed, /ci +enabled +root +db, wiki +2 \(2 unused\)/);
    assert.ok(!listed.includes(ci.token));
    await assert.rejects(create('ci', '--for', 'nothing'), /There is no resource nothing/);
    await assert.rejects(create('ci', '--for', 'wiki', '--life', '400d'), /within a year/);
  });

  it('reaches what its token names and a rule lets it, by either header, and is on record by its name', async () => {
    const ways: Record<string, string>[] = [{ 'postern-token': ci.token }, { authorization: `Bearer ${ci.token}` }];
    for (const headers of ways) assert.equal((await visit('wiki', '/by-program', headers)).status, 200);
    const seen = target.seen.filter((request) => request.target === '/by-program');
    assert.equal(seen.length, 2);
    for (const { headers } of seen) assert.ok(!JSON.stringify(headers).includes(ci.token));
    const [found] = await records('who:service:ci resource:wiki');
    assert.deepEqual(
      [found?.event['via'], found?.event['session'], found?.event['rule'], found?.event['effect']],
      ['token', ci.id, 'ci-uses-everything', 'allow'],
    );
    assert.match((await postern('ls')).stdout, /2 \(1 unused\)/);
  });

  it('reaches nothing else: not what its token leaves out, not without a rule, not the relay itself', async () => {
    const denied = await visit('echo', '/out-of-scope', { 'postern-token': ci.token });
    assert.equal(denied.status, 403);
    const [found] = await records('who:service:ci resource:echo');
    assert.deepEqual([found?.event['effect'], found?.event['reasons']], ['deny', ['out_of_scope']]);
    await postern('create', 'monitor');
    const monitor = await create('monitor', '--for', 'wiki');
    assert.equal((await visit('wiki', '/no-rule', { 'postern-token': monitor.token })).status, 403);
    assert.ok(!target.seen.some((request) => ['/out-of-scope', '/no-rule'].includes(request.target)));
    const ask = (path: string, method = 'GET') =>
      whole.ask(path, {
        method,
        headers: { 'postern-token': ci.token, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: JSON.stringify({ audience: whole.app('echo') }) }),
      });
    assert.equal((await ask('/api/v1/tokens', 'POST')).status, 403);
    assert.equal((await ask('/api/v1/services')).status, 403);
    assert.equal((await ask('/hand-off?host=x&flow=y&challenge=z')).status, 400);
    assert.equal((await ask('/')).status, 403);
    const { resources } = JSON.parse((await ask('/api/v1/resources')).body) as { resources: { name: string }[] };
    assert.deepEqual(
      resources.map(({ name }) => name),
      ['db', 'wiki'],
    );
  });

  it('reaches TCP resources of its scope through the tunnel of a command line', async () => {
    const tunnelOf = (token: string) =>
      undo.use(
        new ClientTunnel({
          credential: () => ({
            relay: whole.origin,
            token: new Secret(token),
            expiresAt: Number.MAX_VALUE,
            person: '',
          }),
        }),
      );
    const signal = AbortSignal.timeout(20_000);
    assert.equal(await text(await tunnelOf(ci.token).open({ resource: 'db' }, signal)), 'a row');
    const { token } = await create('ci', '--for', 'wiki');
    await assert.rejects(async () => text(await tunnelOf(token).open({ resource: 'db' }, signal)));
    const [found] = await records('who:service:ci resource:db');
    assert.deepEqual(found?.event['reasons'], ['out_of_scope']);
  });

  it('keeps its token for the command line, which then acts as it', async () => {
    const file = join(directory, 'token');
    writeFileSync(file, `${ci.token}\n`);
    const own = { ...env, POSTERN_CONFIG_DIR: join(directory, 'of-ci') };
    const run = (...args: string[]) => exec(process.execPath, [MAIN, ...args], { env: own });
    const { stderr } = await run('login', whole.origin, '--token-file', file);
    assert.match(stderr, /as service:ci, until/);
    assert.ok(!stderr.includes(ci.token));
    const { stdout } = await run('ls', '--json');
    assert.deepEqual(
      (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
      ['db', 'wiki'],
    );
    await assert.rejects(run('services', 'ls'), { code: 5 });
    assert.match((await run('curl', '-s', `${whole.app('wiki')}/by-curl`)).stdout, /Recorded/);
    for (const elsewhere of [whole.origin, 'http://127.0.0.1:9', whole.app('echo')])
      await assert.rejects(run('curl', '-s', `${elsewhere}/`), { code: 1 });
    assert.match((await run('logout')).stderr, /service:ci is forgotten here\. The token of a service goes on/);
    assert.equal((await visit('wiki', '/after-logout', { 'postern-token': ci.token })).status, 200);
    writeFileSync(file, `pst_${'x'.repeat(64)}`);
    const refused = /does not take the token in .*: ask an admin for a new one/;
    await assert.rejects(run('login', whole.origin, '--token-file', file), { code: 4, stderr: refused });
  });

  it('gets a new token while the old one goes on', async () => {
    const { stdout, stderr } = await postern('token', 'rotate', 'ci', ci.id, '--grace', '1h');
    const next = stdout.trim();
    for (const token of [ci.token, next])
      assert.equal((await visit('wiki', '/rotated', { 'postern-token': token })).status, 200);
    assert.match(stderr, /the old one/);
  });

  it('is cut when its token is revoked, and another token of it is not', async () => {
    const { token, id } = await create('ci', '--for', 'wiki');
    const [cut, kept] = [await openStream(whole, token), await openStream(whole, ci.token)];
    const closed = ends(cut);
    await postern('token', 'revoke', 'ci', id);
    await closed;
    assert.equal(cut.complete, false);
    assert.equal((await visit('wiki', '/revoked', { 'postern-token': token })).status, 401);
    assert.equal(kept.destroyed, false);
    const keptClosed = ends(kept);
    await postern('disable', 'ci');
    await keptClosed;
    assert.equal((await visit('wiki', '/disabled', { 'postern-token': ci.token })).status, 401);
    await assert.rejects(create('ci', '--for', 'wiki'), /is disabled/);
    assert.match((await postern('ls')).stdout, /ci +disabled/);
    const kinds = (await records('who:root@example.com')).map(({ event }) => event['kind']);
    for (const kind of ['created', 'token_issued', 'token_rotated', 'token_revoked', 'disabled'])
      assert.ok(kinds.includes(`service.${kind}`), kind);
  });

  it('is nothing that other people make', async () => {
    const alice = await whole.signIn('alice', []);
    const token = new Secret(await whole.issueToken(alice));
    saveCredential({ relay: whole.origin, token, expiresAt: Date.now() + 600_000, person: 'alice' }, env);
    await assert.rejects(postern('create', 'mine'), { code: 5 });
    await assert.rejects(postern('ls'), { code: 5 });
  });
});

function ends(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => response.resume().on('close', () => resolve()));
}

async function openStream(whole: WholeRelay, token: string): Promise<IncomingMessage> {
  const request = get(`${whole.app('wiki')}/stream`, {
    agent: false,
    lookup: lookupWithLocalhost,
    headers: { 'postern-token': token },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  assert.equal(response.statusCode, 200);
  return response;
}
