import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';

describe('a web app that two agents serve, of which one reaches it no more', () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let headers: Record<string, string>;
  let audrey: string;
  let served = 0;
  before(async () => {
    const rules = [{ id: 'all', effect: 'allow', who: ['anyone-signed-in'], what: ['any-resource'] }];
    const agents = ['second', 'alone'];
    const resources = { twin: { agents: ['office', 'second'] }, single: { agent: 'alone' } };
    whole = undo.use(await startWholeRelay({ agents, resources, rules }));
    const app = createServer((req, res) => {
      served += 1;
      void text(req).then((body) => res.end(body));
    });
    app.listen(0, '127.0.0.1');
    undo.defer(() => {
      app.closeAllConnections();
      app.close();
    });
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const passing = createServer();
    passing.listen(0, '127.0.0.1');
    const root = await whole.signIn('root', ['admins']);
    await whole.startAgent({ twin: `http://127.0.0.1:${(passing.address() as AddressInfo).port}` }, root);
    await whole.startAgent({ twin: `http://127.0.0.1:${(app.address() as AddressInfo).port}` }, root, 'second');
    await whole.startAgent({ single: nowhere }, root, 'alone');
    passing.closeAllConnections();
    passing.close();
    audrey = await whole.signIn('audrey', ['audit']);
    const alice = await whole.signIn('alice', []);
    headers = { 'postern-token': await whole.tokenFor('twin', alice) };
  });
  after(() => undo.disposeAsync());

  test('no request meets an error: pages, and uploads whose bytes nobody else has seen', async () => {
    for (let n = 0; n < 4; n += 1) {
      assert.equal((await whole.ask(`${whole.app('twin')}/${n}`, { headers })).status, 200);
      const body = `upload ${n} ${'x'.repeat(100_000)}`;
      const answer = await whole.ask(`${whole.app('twin')}/upload`, { method: 'POST', headers, body });
      assert.equal(answer.status, 200);
      assert.equal(answer.body, body);
    }
    assert.equal(served, 8, 'each once');
  });

  test('the outcome says on which stream, and by which agent, it went in the end', async () => {
    const outcome = await eventually(async () => {
      const { body } = await whole.ask('/api/v1/audit/entries?query=resource:twin&limit=100', {
        headers: { cookie: audrey },
      });
      const { entries } = JSON.parse(body) as { entries: { outcome: Record<string, unknown> | null }[] };
      return entries.map((entry) => entry.outcome).find((each) => each?.['retriedOn'] !== undefined);
    });
    assert.equal(outcome['agent'], 'second');
  });

  test('where no other agent serves it, the person is told that it does not answer', async () => {
    const token = await whole.tokenFor('single', await whole.signIn('bob', []));
    const answer = await whole.ask(`${whole.app('single')}/`, { headers: { 'postern-token': token } });
    assert.equal(answer.status, 502);
  });
});
