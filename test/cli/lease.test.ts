import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startWholeRelay } from '../control/whole-relay.ts';
import { freePort } from '../e2e/free-port.ts';
import { converse, startEcho } from '../gateway/tcp-ends.ts';
import { createMachine } from './machine.ts';

describe('postern lease', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const machine = undo.use(createMachine());
  const { postern } = machine;

  before(async () => {
    const first = Math.min(await freePort(), 65_000);
    const whole = undo.use(
      await startWholeRelay({
        resources: { db: { protocol: 'tcp', agent: 'office' } },
        rules: [
          {
            id: 'analysts-lease',
            effect: 'allow',
            who: ['provider:analysts'],
            what: ['resource:db'],
            methods: ['LEASE'],
            message: 'Only analysts lease ports of the database.',
          },
        ],
        leases: { ports: `${first}-${first + 30}`, connections: 2 },
      }),
    );
    await machine.signIn(whole, 'alice', ['analysts']);
    await machine.signIn(whole, 'bob', ['sales']);
    const { cookie } = await machine.signIn(whole, 'root', ['admins']);
    const echo = undo.use(await startEcho());
    await whole.startAgent({ db: `127.0.0.1:${echo.port}` }, cookie);
  });
  after(() => undo.disposeAsync());

  it('prints host and port, and the rest beside; a program connects', async () => {
    const { status, out, err } = await postern('lease', 'db', '--profile', 'alice');
    assert.equal(status, 0, err);
    const [, port] = /^127\.0\.0\.1 (\d+)\n$/.exec(out) ?? assert.fail(out);
    assert.match(err, /^Open from 127\.0\.0\.1 alone, as you, for one connection begun within 60 s\.$/m);
    assert.match(err, /loopback only/);
    assert.equal(await converse(Number(port), '127.0.0.1', 'select'), 'select');
  });

  it('lists and ends; a denied person is told why, and leaves a reference', async () => {
    assert.match((await postern('ls')).out, /^db +tcp +postern lease db +/m);
    const leased = await postern('lease', 'db', '--connections', '2', '-o', 'json');
    const { id, port, connections } = JSON.parse(leased.out) as { id: string; port: number; connections: number };
    assert.equal(connections, 2);
    assert.match((await postern('lease', 'ls')).out, new RegExp(`^${id} +alice@example\\.com +db .* 0 of 2 `, 'm'));
    assert.doesNotMatch((await postern('lease', 'ls', '--profile', 'bob')).out, new RegExp(id));
    assert.match((await postern('lease', 'ls', '--everyone', '--profile', 'root')).out, new RegExp(id));
    const others = await postern('lease', 'end', id, '--profile', 'bob');
    assert.deepEqual([others.status, others.err.includes('There is no such lease')], [1, true]);
    assert.equal((await postern('lease', 'end', id)).status, 0);
    assert.equal(await converse(port, '127.0.0.1', 'select'), 'ECONNREFUSED');

    const denied = await postern('lease', 'db', '--profile', 'bob');
    assert.deepEqual([denied.status, denied.out], [5, '']);
    assert.match(denied.err, /Only analysts lease ports of the database\. \(reference [0-9a-f-]{36}\)/);
    const many = await postern('lease', 'db', '--connections', '3');
    assert.deepEqual([many.status, /at most 2 connections/.test(many.err)], [1, true]);
    assert.equal((await postern('lease', 'db', '--connections', 'lots')).status, 2);
  });
});
