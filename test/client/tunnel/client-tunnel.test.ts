import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import type { Credential } from '../../../src/client/credentials.ts';
import { ClientTunnel } from '../../../src/client/tunnel/client-tunnel.ts';
import { readProxy } from '../../../src/config/http-proxy.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { startProxy } from '../../agent/http-proxy.ts';
import { StandInRelay } from './stand-in.ts';

const signal = AbortSignal.timeout(20_000);

describe('the tunnel of a command line', () => {
  test('is one for all streams, which carry both directions and their ends', async (t) => {
    const relay = await StandInRelay.start(t);
    using tunnel = new ClientTunnel({ credential: () => relay.credential() });
    const texts = await Promise.all(
      ['a', 'b', 'c'].map(async (text) => {
        const stream = await tunnel.open({ resource: 'db' }, signal);
        stream.end(text.repeat(300_000));
        return (await buffer(stream)).toString();
      }),
    );
    assert.deepEqual(
      texts,
      ['a', 'b', 'c'].map((text) => text.repeat(300_000)),
    );
    assert.equal(relay.tunnels.length, 1);
    assert.deepEqual(relay.headers[0], { version: 1, kind: 'resource', resource: 'db' });
  });

  test('names an address when it leads into a network', async (t) => {
    const relay = await StandInRelay.start(t);
    using tunnel = new ClientTunnel({ credential: () => relay.credential() });
    (await tunnel.open({ destination: 'build.example:22' }, signal)).destroy();
    assert.deepEqual(relay.headers[0], { version: 1, kind: 'destination', destination: 'build.example:22' });
  });

  test('says what the relay says when it refuses', async (t) => {
    const relay = await StandInRelay.start(t);
    using tunnel = new ClientTunnel({ credential: () => relay.credential() });
    const cases = [
      ['denied', 'forbidden'],
      ['unauthenticated', 'unauthenticated'],
      ['no_agent', 'target_unreachable'],
      ['dial_refused', 'target_unreachable'],
      ['dial_timeout', 'target_unreachable'],
      ['unavailable', 'relay_unreachable'],
      ['too_many', 'limit_reached'],
      ['unknown_resource', 'not_found'],
    ] as const;
    for (const [refusal, code] of cases) {
      relay.answer = () => ({ ok: false, code: refusal, message: 'This is for employees.', reference: 'r1' });
      await assert.rejects(tunnel.open({ resource: 'db' }, signal), {
        code,
        refusal,
        message: 'This is for employees. (reference r1)',
      });
    }
    relay.answer = () => 'reset';
    await assert.rejects(tunnel.open({ resource: 'db' }, signal), { code: 'relay_unreachable' });
    relay.answer = () => ({ ok: true });
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    // After `unauthenticated` another tunnel is tried, which a new sign-in may have made possible.
    assert.equal(relay.tunnels.length, 2);
  });

  test('wants a sign-in that the relay knows, and says why the last one ended', async (t) => {
    const relay = await StandInRelay.start(t);
    using tunnel = new ClientTunnel({ credential: () => relay.credential() });
    const stream = await tunnel.open({ resource: 'db' }, signal);
    relay.token = 'pst_other';
    const failed = new Promise((resolve) => stream.once('close', resolve));
    relay.tunnels[0]?.close('normal', 'You signed out.');
    await failed;
    assert.match(String(stream.errored), /You signed out\./);
    await assert.rejects(tunnel.open({ resource: 'db' }, signal), {
      code: 'unauthenticated',
      message: /^The last tunnel ended: You signed out\. Your sign-in has ended\. Run: postern login /,
    });
  });

  test('is dialled again when one is needed, also when it broke under the question', async (t) => {
    const relay = await StandInRelay.start(t);
    using tunnel = new ClientTunnel({ credential: () => relay.credential() });
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    relay.tunnels[0]?.close('relay_stopping', 'The relay is stopping.');
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    let asked = 0;
    relay.answer = () => ((asked += 1) === 1 ? 'tunnel_ends' : { ok: true });
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    assert.equal(asked, 2);
    assert.equal(relay.tunnels.filter(({ end }) => !end).length, 1);
  });

  test('is dialled again after failures, once for all who wait', async (t) => {
    let dialled = 0;
    const server = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const relay = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    using tunnel = new ClientTunnel({ credential: () => credentialFor(relay) });
    const open = () => tunnel.open({ resource: 'db' }, signal);
    await assert.rejects(open(), { code: 'relay_unreachable' });
    const both = await Promise.allSettled([open(), open()]);
    assert.ok(both.every(({ status }) => status === 'rejected'));
    assert.equal(dialled, 2);
  });

  test('is another one after another sign-in', async (t) => {
    const relay = await StandInRelay.start(t);
    let credential = relay.credential();
    using tunnel = new ClientTunnel({ credential: () => credential });
    const first = await tunnel.open({ resource: 'db' }, signal);
    relay.token = 'pst_next';
    credential = { ...credential, token: new Secret('pst_next') };
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    assert.equal(relay.tunnels.length, 2);
    assert.equal(first.destroyed, false);
  });

  test('leads through an HTTP proxy', async (t) => {
    const relay = await StandInRelay.start(t);
    const { origin, led } = await startProxy(t);
    const proxy = readProxy(origin, undefined);
    assert.ok(typeof proxy === 'object');
    using tunnel = new ClientTunnel({ credential: () => relay.credential(), proxy });
    (await tunnel.open({ resource: 'db' }, signal)).destroy();
    assert.deepEqual(led, [new URL(relay.origin).host]);
  });

  test('ends with its owner, and opening with the signal', async (t) => {
    const relay = await StandInRelay.start(t);
    const tunnel = new ClientTunnel({ credential: () => relay.credential() });
    await assert.rejects(tunnel.open({ resource: 'db' }, AbortSignal.abort()), { code: 'aborted' });
    const stream = await tunnel.open({ resource: 'db' }, signal);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    tunnel[Symbol.dispose]();
    await closed;
  });
});

function credentialFor(relay: string): Credential {
  return { relay, token: new Secret('pst'), expiresAt: Date.now() + 60_000, person: 'alice', profile: 'test' };
}
