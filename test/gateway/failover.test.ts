import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LiveTunnel } from '../../src/gateway/tunnel/live-tunnel.ts';
import { createLog } from '../../src/lib/log.ts';
import { pipe } from '../tunnel/pair.ts';
import { asAlice, asBob, createWorld, HOST } from './world.ts';

/** Of an agent that says nothing. */
function silentTunnel(agent: string): LiveTunnel {
  const refuse = () => Promise.reject(new Error('not in these tests'));
  return new LiveTunnel(
    'tunnel-2',
    { agent, keyThumbprint: 'thumb', expiresAt: Date.now() + 600_000, jti: 'j', scope: [] },
    pipe()[0],
    {
      heartbeatMs: 60_000,
      credentials: { verify: refuse, renew: refuse, isRevoked: () => false, isDrained: () => false },
      judgeAnnouncement: () => [],
      refusedAnnouncement: () => {},
      log: createLog('silent'),
      clock: Date.now,
    },
  );
}

test('for whom went while one agent was waited for, no other one dials', async () => {
  await using world = await createWorld((_req, res) => res.end('here'));
  world.resource({ agents: ['office', 'second'] });
  const { tunnel } = world;
  const silent = silentTunnel('second');
  world.tunnel = silent;
  const client = connect(world.port, '127.0.0.1');
  client.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\n\r\n`);
  while (silent.streamCount === 0) await turn();
  client.destroy();
  world.tunnel = tunnel;
  assert.equal((await world.audit.outcomeOf(0)).end, 'client_closed');
  assert.equal((await world.get('/', asBob)).body, 'here');
  assert.equal(world.streams.length, 1);
  silent.end('relay_stopping', 'The test is over.');
});
