import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { whyBroken } from '../../src/client/tunnel/broken.ts';
import { dialClientTunnel } from '../../src/client/tunnel/dial.ts';
import type { DialledTunnel } from '../../src/client/tunnel/dialled-tunnel.ts';
import { openStream } from '../../src/client/tunnel/open-stream.ts';
import { type Bounds, MAX_CLIENT_STREAMS_PER_PERSON } from '../../src/gateway/limits.ts';
import { Secret } from '../../src/lib/secret.ts';
import { encodeHeader } from '../../src/tunnel/stream-header.ts';
import type { Tunnel } from '../../src/tunnel/tunnel.ts';
import { type Echo, startEcho } from './tcp-ends.ts';
import { closing, createWorld, listen, type World } from './world.ts';

const NEVER = new AbortController().signal;

interface Place extends AsyncDisposable {
  readonly world: World;
  readonly echo: Echo;
  /** A command line's tunnel, as the person of this name. */
  dial(name: string): Promise<DialledTunnel>;
}

async function createPlace(bounds: Partial<Bounds> = {}): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const echo = undo.use(await startEcho());
  const world = undo.use(await createWorld((_req, res) => res.end(), bounds));
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
        world.change({ kind: 'snapshot_changed', version: 2 });
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

  it('says why it was cut, by the reference of its record; another one goes on and nothing is said of it', async () => {
    await using place = await createPlace();
    const { world } = place;
    const tunnel = await place.dial('alice');
    const [cut, other] = [await spoken(tunnel), await spoken(tunnel)];
    const [intent] = world.audit.intents;
    world.gateway.live.terminate(({ intent: id }) => id === intent?.id, 'access_terminated');
    await closing(cut);
    const why = await whyBroken(cut, cut.errored);
    assert.deepEqual(
      [why.code, why.message],
      ['forbidden', `The connection broke off: someone responsible for security ended it. (reference ${intent?.id})`],
    );
    assert.equal((await world.audit.outcomeOf(0)).reason, 'access_terminated');
    other.write('still there');
    assert.equal(String(await once(other, 'data')), 'still there');
    tunnel.close('normal', '');
  });

  it('counts for the rate of its person, also where there is nothing of that name', async () => {
    await using place = await createPlace({ personRate: { perSecond: 0.001, burst: 2 } });
    const tunnel = await place.dial('alice');
    const ask = (resource: string) => openStream(tunnel, { resource }, NEVER);
    await assert.rejects(ask('nothing'), { code: 'not_found' });
    await assert.rejects(ask('nothing'), { code: 'not_found' });
    await assert.rejects(ask('nothing'), { code: 'limit_reached' });
    await assert.rejects(ask('wiki'), { code: 'limit_reached' });
    tunnel.close('normal', '');
  });

  it("has company up to a bound, which is the person's and not the tunnel's", async () => {
    await using place = await createPlace();
    const { world } = place;
    // Until then they wait, and what is on them, too.
    world.audit.held = [];
    const tunnels = await Promise.all(Array.from({ length: 3 }, () => place.dial('alice')));
    const header = encodeHeader({ version: 1, kind: 'resource', resource: 'wiki' });
    let left = MAX_CLIENT_STREAMS_PER_PERSON + 1;
    let resets = 0;
    const reset = new Promise<void>((resolve) => {
      for (const tunnel of tunnels) {
        for (; left > 0 && !tunnel.full; left -= 1) {
          const stream = tunnel.open();
          stream.write(header);
          stream.once('close', () => {
            resets += 1;
            resolve();
          });
        }
      }
    });
    await reset;
    assert.equal(left, 0);
    assert.equal(resets, 1);
    const bob = await openOf(place.dial('bob'), world);
    assert.equal(bob.errored, null);
    for (const tunnel of tunnels) tunnel.close('normal', '');
  });
});

/** Open, with a byte there and back. */
async function spoken(tunnel: DialledTunnel): Promise<Duplex> {
  const stream = await openStream(tunnel, { resource: 'wiki' }, NEVER);
  stream.write('hello');
  await once(stream, 'data');
  return stream;
}

/** Whose intent is held by then. */
async function openOf(dialled: Promise<Tunnel>, world: World) {
  const { held } = world.audit;
  const before = held?.length ?? 0;
  const stream = (await dialled).open();
  stream.write(encodeHeader({ version: 1, kind: 'resource', resource: 'wiki' }));
  await world.audit.until(() => ((held?.length ?? 0) > before ? true : undefined));
  return stream;
}
