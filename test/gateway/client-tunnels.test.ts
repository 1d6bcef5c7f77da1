import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { dialClientTunnel } from '../../src/client/tunnel/dial.ts';
import { openStream } from '../../src/client/tunnel/open-stream.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Tunnel } from '../../src/tunnel/tunnel.ts';
import { type Echo, startEcho } from './tcp-ends.ts';
import { closing, createWorld, listen, type World } from './world.ts';

const NEVER = new AbortController().signal;

interface Place extends AsyncDisposable {
  readonly world: World;
  readonly echo: Echo;
  /** A command line's tunnel, as the person of this name. */
  dial(name: string): Promise<Tunnel>;
}

async function createPlace(): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const echo = undo.use(await startEcho());
  const world = undo.use(await createWorld((_req, res) => res.end()));
  world.resource({ protocol: 'tcp', hosts: [] });
  world.dialPort = echo.port;
  const server = createServer().on('upgrade', (...upgrade) => world.gateway.handleClientTunnel(...upgrade));
  const relay = `http://postern.localhost:${await listen(server)}`;
  undo.defer(() => void server.close());
  const held = undo.move();
  return {
    world,
    echo,
    dial(name) {
      const credential = { relay, token: new Secret(`pst_${name}`), expiresAt: Number.MAX_VALUE, person: name };
      return dialClientTunnel(credential, undefined, NEVER);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

describe('a connection of a command line', () => {
  it('is cut by what changes between the last look and its first byte', async () => {
    await using place = await createPlace();
    const { world, echo } = place;
    const tunnel = await place.dial('alice');
    let looks = 0;
    world.onLook = () => {
      looks += 1;
      // Before and after the agent has dialled.
      if (looks !== 2) return;
      queueMicrotask(() => {
        world.decide = () => ({ effect: 'deny' });
        world.newSnapshot();
        world.change({ kind: 'snapshot_changed' });
      });
    };
    await assert.rejects(async () => {
      const stream = await openStream(tunnel, { resource: 'wiki' }, NEVER);
      stream.write('too late');
      await closing(stream);
      throw stream.errored ?? new Error('It ended as if it were whole.');
    });
    assert.equal((await world.audit.outcomeOf(0)).end, 'terminated');
    assert.equal(looks, 2);
    assert.equal(echo.spoken, 0);
    tunnel.close('normal', '');
  });
});
