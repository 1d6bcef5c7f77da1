import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startWholeRelay } from '../control/whole-relay.ts';
import { createMachine } from './machine.ts';

describe('postern connect -L -, to what takes no connections', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const machine = undo.use(createMachine());
  const { postern } = machine;
  let wiki = '';

  before(async () => {
    const resources = { db: { protocol: 'tcp', agent: 'office' }, lan: { protocol: 'network', agent: 'office' } };
    const rules = ['wiki', 'db', 'lan'].map((name) => ({
      id: `analysts-${name}`,
      effect: 'allow',
      who: ['provider:analysts'],
      what: [`resource:${name}`],
    }));
    const relay = undo.use(await startWholeRelay({ resources, rules }));
    wiki = relay.app('wiki');
    await machine.signIn(relay, 'alice', ['analysts']);
    await machine.signIn(relay, 'bob', ['sales']);
  });
  after(() => undo.disposeAsync());

  it('a web app or a network is called that, with what leads there', async () => {
    const app = await postern('connect', 'wiki', '-L', '-');
    assert.deepEqual([app.status, app.out], [1, '']);
    assert.equal(
      app.err,
      `wiki is a web app: it takes requests, and no plain connection. Use: postern connect wiki -L 8080, or postern curl ${wiki}/\n`,
    );
    const network = await postern('connect', 'lan', '-L', '-');
    assert.deepEqual(
      [network.status, network.err],
      [1, 'lan is a network of many places. Use: postern proxy --socks 1080\n'],
    );
  });

  it('its twins: a database without its agent, and for whom the app is not listed, a name like any other', async () => {
    const database = await postern('connect', 'db', '-L', '-');
    assert.deepEqual([database.status, /agent/.test(database.err)], [6, true], database.err);
    const unlisted = await postern('connect', 'wiki', '-L', '-', '--profile', 'bob');
    assert.deepEqual([unlisted.status, /There is no such resource/.test(unlisted.err)], [1, true], unlisted.err);
  });
});
