import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { AuditEntry } from '../../src/control/contract/audit.ts';
import type { Lease, LeaseList } from '../../src/control/contract/leases.ts';
import type { Problem } from '../../src/control/problem.ts';
import { tryLeaseAddress } from '../../src/relay/lease-address.ts';
import { missing } from '../apps/missing.ts';
import { type Answer, ourPage, startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';
import { connectFrom, converse, type Echo, startEcho } from '../gateway/tcp-ends.ts';
import { type Cluster, startPostgres } from '../store/databases.ts';

const MINE = '127.0.0.77';
const PSQL = missing(['/usr/bin/psql'], 'postgresql-client');
const RULES = [
  { id: 'all-connect', effect: 'allow', who: ['anyone-signed-in'], what: ['resource:db', 'resource:plain'] },
  {
    id: 'analysts-lease',
    effect: 'allow',
    who: ['provider:analysts'],
    what: ['resource:db', 'resource:orders', 'resource:wiki'],
    methods: ['LEASE'],
    message: 'Only analysts lease ports of the database.',
  },
];

describe('leasing a port', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let echo: Echo;
  let postgres: Cluster;
  let root: string;
  before(async () => {
    const first = Math.min(await freePort(), 65_000);
    whole = undo.use(
      await startWholeRelay({
        resources: Object.fromEntries(
          ['db', 'plain', 'orders'].map((name) => [name, { protocol: 'tcp', agent: 'office' }]),
        ),
        rules: RULES,
        leases: { ports: `${first}-${first + 30}`, connections: 3 },
      }),
    );
    echo = undo.use(await startEcho());
    root = await whole.signIn('root', ['admins', 'audit']);
    postgres = undo.use(await startPostgres());
    const target = `127.0.0.1:${echo.port}`;
    await whole.startAgent({ db: target, plain: target, orders: `unix:${postgres.directory}/.s.PGSQL.5432` }, root);
  });
  after(() => undo.disposeAsync());

  const byCookie = (cookie: string) => ({ cookie, ...ourPage(whole.origin) });
  const byToken = (token: string) => ({ 'postern-token': token, 'content-type': 'application/json' });
  const ask = (headers: Record<string, string>, body: object): Promise<Answer> =>
    whole.ask('/api/v1/leases', { method: 'POST', headers, body: JSON.stringify(body), from: MINE });
  const lease = async (headers: Record<string, string>, body: object = { resource: 'db' }): Promise<Lease> => {
    const answer = await ask(headers, body);
    assert.equal(answer.status, 200, answer.body);
    return JSON.parse(answer.body) as Lease;
  };
  const recordOf = async (id: string | undefined): Promise<AuditEntry['event']> => {
    const answer = await whole.ask(`/api/v1/audit/${id}`, { headers: { cookie: root } });
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as AuditEntry).event;
  };
  const newest = async (query: string): Promise<AuditEntry['event'] | undefined> => {
    const answer = await whole.ask(`/api/v1/audit?limit=1&query=${encodeURIComponent(query)}`, {
      headers: { cookie: root },
    });
    const [row] = (JSON.parse(answer.body) as { rows: { id: string }[] }).rows;
    return row && recordOf(row.id);
  };
  const leasesOf = async (cookie: string, query = ''): Promise<LeaseList['leases']> => {
    const answer = await whole.ask(`/api/v1/leases${query}`, { headers: { cookie } });
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as LeaseList).leases;
  };
  const openAt = async (port: number) => {
    const socket = connectFrom(port, MINE);
    const failed = new Promise<string | undefined>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    socket.write('hello');
    await once(socket, 'data');
    return { socket, failed };
  };

  test('a person gets a port, and through it the resource as themselves: known by their address, as the record says', async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const { id, host, port, address, connections } = await lease(byToken(await whole.issueToken(alice)));
    assert.deepEqual([host, address, connections], ['127.0.0.1', MINE, 1]);
    const opened = await recordOf(id);
    assert.ok(opened.kind === 'lease.opened');
    assert.deepEqual(
      [opened.port, opened.resource, opened.rule, opened.personal?.email, opened.personal?.address],
      [port, 'db', 'analysts-lease', 'alice@example.com', MINE],
    );
    const text = 'row '.repeat(100_000);
    assert.equal(await converse(port, MINE, text), text);
    const access = await newest('who:alice@example.com kind:access.intent');
    assert.ok(access?.kind === 'access.intent');
    assert.deepEqual(
      [access.via, access.method, access.effect, access.rule, access.personal?.address],
      ['address', 'LEASE', 'allow', 'analysts-lease', MINE],
    );
    const ended = await eventually(() => newest('who:alice@example.com kind:lease.ended'));
    assert.ok(ended.kind === 'lease.ended');
    assert.deepEqual([ended.lease, ended.reason, ended.begun], [id, 'used', 1]);
    assert.deepEqual(await leasesOf(alice), []);
  });

  test('whoever may do everything else leases nothing, and the refusal is on record', async () => {
    const bob = await whole.signIn('bob', ['sales']);
    const answer = await ask(byCookie(bob), { resource: 'db' });
    const problem = JSON.parse(answer.body) as Problem;
    assert.deepEqual([answer.status, problem.code], [403, 'forbidden']);
    assert.match(problem.detail, /^Only analysts lease ports of the database\./);
    const denied = await recordOf(problem.reference);
    assert.ok(denied.kind === 'access.intent');
    assert.deepEqual(
      [denied.effect, denied.method, denied.via, denied.personal?.email],
      ['deny', 'LEASE', 'cookie', 'bob@example.com'],
    );
    const alice = await whole.signIn('alice', ['analysts']);
    assert.equal((await ask(byCookie(alice), { resource: 'plain' })).status, 403, 'no rule names LEASE there');
    assert.equal((await ask(byCookie(alice), { resource: 'wiki' })).status, 404, 'web apps are not leased');
    assert.equal((await ask(byCookie(alice), { resource: 'db', connections: 4 })).status, 400);
    assert.equal((await ask({ 'content-type': 'application/json' }, { resource: 'db' })).status, 401);
    assert.deepEqual(await leasesOf(root, '?of=everyone'), []);
  });

  test('psql, which knows nothing of it, is simply there; and a second one is not', { skip: PSQL }, async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const body = JSON.stringify({ resource: 'orders' });
    const from = '127.0.0.1';
    const answer = await whole.ask('/api/v1/leases', { method: 'POST', headers: byCookie(alice), body, from });
    const { port } = JSON.parse(answer.body) as Lease;
    const psql = (sql: string) =>
      promisify(execFile)('psql', ['-X', '-At', '-h', from, '-p', String(port), '-U', 'postgres', '-c', sql]);
    const { stdout } = await psql('SELECT sum(n) FROM generate_series(1, 100000) n');
    assert.equal(stdout, '5000050000\n');
    await assert.rejects(psql('SELECT 1'), /Connection refused/);
    const access = await newest('who:alice@example.com resource:orders kind:access.intent');
    assert.ok(access?.kind === 'access.intent' && access.via === 'address');
  });

  test('from another address it is closed: nothing is forwarded', async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const { port } = await lease(byCookie(alice));
    const { spoken } = echo;
    assert.equal(await converse(port, '127.0.0.78', 'hello'), 'ECONNRESET');
    assert.equal(echo.spoken, spoken);
    assert.equal(await converse(port, MINE, 'hello'), 'hello');
    assert.equal(await converse(port, MINE, 'again'), 'ECONNREFUSED');
  });

  test('signing out ends it with what is open, by a reset that nobody takes for the end', async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const idle = await lease(byCookie(alice));
    const used = await lease(byCookie(alice), { resource: 'db', connections: 2 });
    const open = await openAt(used.port);
    await whole.ask('/api/v1/sign-out', { method: 'POST', headers: byCookie(alice), body: '{}' });
    assert.equal(await open.failed, 'ECONNRESET');
    assert.equal(await converse(idle.port, MINE, 'hello'), 'ECONNREFUSED');
    assert.equal(await converse(used.port, MINE, 'hello'), 'ECONNREFUSED');
  });

  test('a command line that signs out takes its leases along; those of the browser stay', async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const token = await whole.issueToken(alice);
    const ofToken = await lease(byToken(token));
    const ofBrowser = await lease(byCookie(alice));
    await whole.ask('/api/v1/tokens/current', { method: 'DELETE', headers: byToken(token), body: '{}' });
    await eventually(async () => (await leasesOf(alice)).every(({ id }) => id !== ofToken.id) || undefined);
    assert.equal(await converse(ofToken.port, MINE, 'hello'), 'ECONNREFUSED');
    assert.equal(await converse(ofBrowser.port, MINE, 'hello'), 'hello');
  });

  test('its person and an admin end it, nobody else', async () => {
    const alice = await whole.signIn('alice', ['analysts']);
    const carol = await whole.signIn('carol', ['analysts']);
    const first = await lease(byCookie(alice));
    const second = await lease(byCookie(alice));
    const end = async (cookie: string, { id }: Lease) =>
      (await whole.ask(`/api/v1/leases/${id}`, { method: 'DELETE', headers: byCookie(cookie), body: '{}' })).status;
    const open = await openAt(first.port);
    assert.deepEqual(await leasesOf(carol), []);
    assert.equal((await whole.ask('/api/v1/leases?of=everyone', { headers: { cookie: carol } })).status, 403);
    assert.equal(await end(carol, first), 404);
    const all = await leasesOf(root, '?of=everyone');
    assert.equal(await whole.metric('postern_leases_open{resource="db"}'), all.length);
    assert.deepEqual(
      all.map(({ id, begun, person }) => [id, begun, person.email]),
      [
        [second.id, 0, 'alice@example.com'],
        [first.id, 1, 'alice@example.com'],
      ],
    );
    assert.equal(await end(root, first), 200);
    assert.equal(await open.failed, 'ECONNRESET');
    const byAdmin = await eventually(async () => {
      const found = await newest('who:alice@example.com kind:lease.ended');
      return found?.kind === 'lease.ended' && found.lease === first.id ? found : undefined;
    });
    assert.deepEqual([byAdmin.reason, byAdmin.begun], ['lease_ended', 1]);
    assert.ok(byAdmin.by);
    assert.equal(await end(alice, second), 200);
    assert.equal(await converse(second.port, MINE, 'hello'), 'ECONNREFUSED');
    assert.equal(await whole.metric('postern_leases_open{resource="db"}'), undefined, 'none is left');
  });
});

test('an address that is not of this machine is said at the start', async () => {
  const of = (listen: string) => ({ listen, ports: [20_000, 20_001] as const, connections: 1, host: listen });
  await tryLeaseAddress(of('127.0.0.1'));
  await assert.rejects(tryLeaseAddress(of('192.0.2.1')), { code: 'config_invalid', message: /leases\.listen/ });
});
