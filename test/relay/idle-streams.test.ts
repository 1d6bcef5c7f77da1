import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { ourPage, startWholeRelay } from '../control/whole-relay.ts';

test('a connection that is kept for the next request ends in order when its session does: no reset alarms the app', async () => {
  await using whole = await startWholeRelay();
  await using undo = new AsyncDisposableStack();
  const sockets: Socket[] = [];
  const app = createServer((_req, res) => void res.end('well')).on('connection', (socket: Socket) =>
    sockets.push(socket),
  );
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  undo.defer(() => {
    app.closeAllConnections();
    app.close();
  });
  const root = await whole.signIn('root', ['admins']);
  await whole.startAgent({ wiki: `http://127.0.0.1:${(app.address() as AddressInfo).port}` }, root);
  const alice = await whole.signIn('alice', []);
  const headers = { 'postern-token': await whole.tokenFor('wiki', alice) };
  sockets.length = 0;
  assert.equal((await whole.ask(`${whole.app('wiki')}/`, { headers })).body, 'well');
  const kept = sockets.at(-1);
  assert.ok(kept && !kept.destroyed);
  const errors: Error[] = [];
  kept.on('error', (error) => errors.push(error));
  const closed = once(kept, 'close');
  const page = { cookie: alice, ...ourPage(whole.origin) };
  await whole.ask('/api/v1/sign-out', { method: 'POST', headers: page, body: '{}' });
  await closed;
  assert.deepEqual(errors, []);
});
