import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
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
    assert.equal(relay.tunnels.length, 1);
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
      message: `You signed out. Your sign-in has ended. Run: postern login ${relay.origin}`,
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

  test('is dialled again after failures, for all who wait at once', async () => {
    const credential = new CredentialForNowhere();
    using tunnel = new ClientTunnel({ credential: () => credential.next() });
    for (let attempt = 0; attempt < 2; attempt += 1)
      await assert.rejects(tunnel.open({ resource: 'db' }, signal), { code: 'relay_unreachable' });
    const both = await Promise.allSettled([
      tunnel.open({ resource: 'db' }, signal),
      tunnel.open({ resource: 'db' }, signal),
    ]);
    assert.ok(both.every(({ status }) => status === 'rejected'));
    assert.equal(credential.asked, 3);
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

/** Nothing listens at its address. */
class CredentialForNowhere {
  asked = 0;
  next() {
    this.asked += 1;
    return {
      relay: 'http://127.0.0.1:1',
      token: new Secret('pst'),
      expiresAt: Date.now() + 1_000,
      person: 'alice',
      profile: 'test',
    };
  }
}
