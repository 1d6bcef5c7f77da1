import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { packageVersion } from '../../src/lib/version.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { createMachine } from './machine.ts';

describe('What a person asks their command line', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const machine = undo.use(createMachine());
  const { env, postern } = machine;
  let whole: WholeRelay;

  before(async () => {
    whole = undo.use(await startWholeRelay());
    await machine.signIn(whole, 'alice');
    await machine.signIn(whole, 'root', ['admins']);
  });
  after(() => undo.disposeAsync());

  it('whoami: by the word of the relay, of each profile', async () => {
    const alice = await postern('whoami', '--profile', 'alice');
    assert.deepEqual([alice.status, alice.err], [0, '']);
    assert.match(alice.out, /^Person +alice@example\.com$/m);
    assert.match(alice.out, /^Roles +-$/m);
    const root = JSON.parse((await postern('whoami', '--profile', 'root', '-o', 'json')).out) as Record<
      string,
      unknown
    >;
    assert.equal(root['email'], 'root@example.com');
    assert.deepEqual(root['roles'], ['admin']);
    assert.equal(root['relay'], whole.origin);
  });

  it('ls: what they may reach, and how', async () => {
    const { status, out } = await postern('ls', '--profile', 'alice');
    assert.equal(status, 0);
    assert.match(out, /^NAME +PROTOCOL +HOW +TITLE$/m);
    assert.ok(out.includes(`${whole.app('wiki')}/`), out);
    const lines = (await postern('ls', '--profile', 'alice', '-o', 'jsonl')).out.trim().split('\n');
    assert.deepEqual(lines.map((line) => (JSON.parse(line) as { name: string }).name).toSorted(), ['echo', 'wiki']);
  });

  it('token: one that opens the one resource, and no other', async () => {
    const { out } = await postern('token', 'wiki', '--profile', 'alice', '-o', 'json');
    const { token, audience } = JSON.parse(out) as { token: string; audience: string };
    assert.equal(audience, whole.app('wiki'));
    const ask = (app: string) => whole.ask(`${whole.app(app)}/`, { headers: { 'postern-token': token } });
    // Let in, and there is no agent.
    assert.equal((await ask('wiki')).status, 503);
    assert.equal((await ask('echo')).status, 401);
    assert.match((await postern('token', 'wiki', '--profile', 'alice')).out, /^pst_\S+\n$/);
    const unknown = await postern('token', 'vault', '--profile', 'alice');
    assert.deepEqual([unknown.status, unknown.out], [1, '']);
    assert.match(unknown.err, /There is no vault .* See: postern ls/);
  });

  it('status: all is well; and each way in which it is not has its exit code and its next step', async () => {
    const well = await postern('status', '--profile', 'alice');
    assert.deepEqual([well.status, well.err], [0, '']);
    assert.match(well.out, /^Answers +yes, in \d+ ms$/m);
    assert.match(well.out, /^Signed in +as alice@example\.com, until /m);
    assert.match(well.out, new RegExp(`^Version +${packageVersion()} here, ${packageVersion()} at the relay$`, 'm'));

    const denied = await postern('agents', 'ls', '--profile', 'alice');
    assert.deepEqual([denied.status, denied.out], [5, '']);
    assert.match(denied.err, /needs one of these roles: admin/);

    const token = new Secret('pst_gone');
    const gone = { relay: whole.origin, token, person: 'gone', profile: 'gone' };
    saveCredential({ ...gone, expiresAt: Date.now() + 600_000 }, env, { current: false });
    for (const command of [
      ['status'],
      ['ls'],
      ['whoami'],
      ['token', 'wiki'],
      ['agents', 'ls'],
      ['services', 'ls'],
      ['lease', 'ls'],
      ['audit', 'search'],
    ]) {
      const { status, err } = await postern(...command, '--profile', 'gone');
      assert.equal(status, 4, command.join(' '));
      assert.match(err, /Run: postern login --profile gone/, command.join(' '));
    }
    saveCredential({ ...gone, expiresAt: 1 }, env, { current: false });
    const expired = await postern('status', '--profile', 'gone', '-o', 'json');
    assert.equal(expired.status, 4);
    assert.deepEqual(
      [(JSON.parse(expired.out) as { reachable: boolean }).reachable, /has expired/.test(expired.err)],
      [true, true],
    );

    const relay = 'http://postern.localhost:9';
    saveCredential({ ...gone, relay, profile: 'away', expiresAt: Date.now() + 600_000 }, env, { current: false });
    const away = await postern('status', '--profile', 'away');
    assert.equal(away.status, 6);
    assert.match(away.out, /^Answers +no$/m);
    assert.match(away.err, /cannot be reached/);
  });

  it('logout: the token and what came from it end at once; the profile stays, and the browser signed in', async () => {
    const { cookie, token } = await machine.signIn(whole, 'olga');
    const { token: atWiki } = JSON.parse(
      (await postern('token', 'wiki', '--profile', 'olga', '-o', 'json', '--for', '5m')).out,
    ) as { token: string };
    const wiki = () => whole.ask(`${whole.app('wiki')}/`, { headers: { 'postern-token': atWiki } });
    assert.equal((await wiki()).status, 503);

    const out = await postern('logout', '--profile', 'olga');
    assert.deepEqual([out.status, out.out, out.err], [0, '', `olga is signed out of ${whole.origin}.\n`]);
    assert.equal((await wiki()).status, 401);
    const me = (headers: Record<string, string>) => whole.ask('/api/v1/me', { headers });
    assert.equal((await me({ 'postern-token': token })).status, 401);
    assert.equal((await me({ cookie })).status, 200);
    const ls = await postern('ls', '--profile', 'olga');
    assert.equal(ls.status, 4);
    assert.match(ls.err, /You are signed out\. Run: postern login --profile olga/);
    assert.match((await postern('logout', '--profile', 'olga')).err, /Nobody was signed in/);
  });

  it('logout --everywhere: the browser too', async () => {
    const { cookie, token } = await machine.signIn(whole, 'uma');
    const other = await whole.issueToken(cookie);
    const me = async (headers: Record<string, string>) => (await whole.ask('/api/v1/me', { headers })).status;
    assert.deepEqual([await me({ cookie }), await me({ 'postern-token': other })], [200, 200]);

    const out = await postern('logout', '--profile', 'uma', '--everywhere');
    assert.deepEqual([out.status, out.err], [0, `uma is signed out of ${whole.origin}, in the browser too.\n`]);
    assert.deepEqual([await me({ cookie }), await me({ 'postern-token': other })], [401, 401]);
    assert.equal(await me({ 'postern-token': token }), 401);
  });

  it('logout without the relay: forgotten here, and said that the relay does not know', async () => {
    const { status, err } = await postern('logout', '--profile', 'away');
    assert.equal(status, 6);
    assert.match(err, /is forgotten here, but the relay does not know/);
    assert.equal((await postern('ls', '--profile', 'away')).status, 4);
  });
});
