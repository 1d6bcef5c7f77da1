import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { eventually } from '../eventually.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const exec = promisify(execFile);

describe('An admin, an agent that brings an app of its own, and the people who may not use it yet', {
  timeout: 180_000,
}, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-agents-'));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory };
  let whole: WholeRelay;
  let root = '';
  let alice = '';
  const seen: string[] = [];
  const target = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.end('a preview');
  });
  const said: string[] = [];

  const postern = async (...args: string[]) => (await exec(process.execPath, [MAIN, ...args], { env })).stdout;
  const visit = async (path: string) => {
    const token = await whole.tokenFor('preview-7', alice);
    return whole.ask(`${whole.app('preview-7')}${path}`, { headers: { 'postern-token': token } });
  };
  const records = async (query: string) => {
    const path = `/api/v1/audit?query=${encodeURIComponent(query)}`;
    const { body } = await whole.ask(path, { headers: { cookie: root } });
    return (JSON.parse(body) as { rows: { kind: string; summary: string }[] }).rows;
  };

  before(async () => {
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    undo.defer(() => void target.close());
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    whole = undo.use(await startWholeRelay());
    root = await whole.signIn('root', ['admins']);
    alice = await whole.signIn('alice', []);
    const token = new Secret(await whole.issueToken(root));
    saveCredential({ relay: whole.origin, token, expiresAt: Date.now() + 600_000, person: 'root' }, env);
  });
  after(() => undo.disposeAsync());

  it('makes a token with a scope, sees it, and withdraws another', async () => {
    const file = join(directory, 'office.token');
    await postern('agents', 'token', 'create', 'office', '--out', file, '--may-announce', 'preview-*');
    await assert.rejects(postern('agents', 'token', 'create', 'office', '--out', file), /a file of that name exists/);
    const nobody = join(directory, 'nobody.token');
    await assert.rejects(postern('agents', 'token', 'create', 'nobody', '--out', nobody), /No agent is configured/);
    assert.ok(!existsSync(nobody));
    await postern('agents', 'token', 'create', 'office', '--out', join(directory, 'other.token'));
    const tokens = await postern('agents', 'token', 'ls');
    assert.match(tokens, /office .* preview-\*\n/);
    const other = /^([0-9a-f]{16})  office .*  -$/m.exec(tokens)?.[1] ?? assert.fail(tokens);
    await postern('agents', 'token', 'revoke', other);
    assert.doesNotMatch(await postern('agents', 'token', 'ls'), new RegExp(other));
    await assert.rejects(postern('agents', 'token', 'revoke', other), { code: 1 });
  });

  it('sees the agent with what it may serve; what is out of scope is refused and said', async () => {
    const { port } = target.address() as AddressInfo;
    const options = ['--relay', whole.origin, '--enroll-token-file', join(directory, 'office.token')];
    const targets = ['--http', `preview-7=127.0.0.1:${port}`, '--http', `admin=127.0.0.1:${port}`];
    const agent = spawn(process.execPath, [
      MAIN,
      'agent',
      ...options,
      '--state-dir',
      join(directory, 'state'),
      ...targets,
    ]);
    agent.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    undo.defer(() => void agent.kill());
    await eventually(async () => (await postern('agents', 'ls')).match(/office\s+connected\s+1\s+\d+\s+preview-7\n/));
    assert.match(await postern('agents', 'show', 'office'), /May announce\s+preview-\*[\s\S]*serves preview-7\n/);
    await eventually(async () => said.join('').match(/does not take admin from this agent: neither/));
    assert.equal((await records('kind:agent.announcement_refused')).length, 1);
    assert.match(
      (await records('kind:agent.announced'))[0]?.summary ?? '',
      /preview-7 at preview-7\.postern\.localhost/,
    );
  });

  it('lets nobody in until a rule names the new app, and then whom the rule means', async () => {
    assert.equal((await visit('/before')).status, 403);
    assert.deepEqual(seen, []);
    const rules = [{ id: 'previews', effect: 'allow', who: ['anyone-signed-in'], what: ['resource:preview-7'] }];
    writeFileSync(join(whole.policyDirectory, 'previews.yaml'), JSON.stringify({ rules }));
    const answer = await eventually(async () => {
      const found = await visit('/after');
      return found.status === 200 ? found : undefined;
    });
    assert.equal(answer.body, 'a preview');
    assert.deepEqual(seen, ['/after']);
  });

  it('drains the agent and undoes that', async () => {
    await postern('agents', 'drain', 'office');
    await eventually(async () => ((await visit('/drained')).status === 503 ? true : undefined));
    assert.match(await postern('agents', 'ls'), /office\s+drained/);
    await postern('agents', 'drain', 'office', '--undo');
    await eventually(async () => ((await visit('/again')).status === 200 ? true : undefined));
    assert.ok(!seen.includes('/drained'));
  });

  it('revokes it: the app is gone with its agent', async () => {
    const token = await whole.tokenFor('preview-7', alice);
    await postern('agents', 'revoke', 'office');
    const ask = () => whole.ask(`${whole.app('preview-7')}/gone`, { headers: { 'postern-token': token } });
    await eventually(async () => ((await ask()).status === 200 ? undefined : true));
    assert.match(await postern('agents', 'ls'), /office\s+revoked\s+0/);
    assert.ok(!seen.includes('/gone'));
    const kinds = (await records('')).map(({ kind }) => kind);
    for (const kind of [
      'agent.token_created',
      'agent.token_revoked',
      'agent.drained',
      'agent.resumed',
      'agent.revoked',
    ])
      assert.ok(kinds.includes(kind), kind);
  });
});
