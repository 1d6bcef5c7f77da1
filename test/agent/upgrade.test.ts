import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { generateSigningKey, publicJwkOf, type SigningKey, thumbprint } from '../../src/token/key.ts';
import { SmallRelay } from './small-relay.ts';

const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'postern.tunnel.v1',
};

/** Status of an upgrade; 101 when it went through (and is then dropped). */
function upgrade(relay: SmallRelay, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const attempt = request({ port: relay.port, host: '127.0.0.1', path: '/tunnel', headers });
    attempt.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    attempt.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    attempt.on('error', reject);
    attempt.end();
  });
}

function without(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(upgradeHeaders).filter(([key]) => key !== name));
}

test('only a valid credential, and no browser, gets past the upgrade', async (t) => {
  const relay = await SmallRelay.start(t);
  const key = generateSigningKey();
  const { credential } = await relay.credential('office', key.kid);
  const authorization = `Bearer ${credential}`;
  const forged = await relay.sign(
    {
      type: 'postern-device+jwt',
      issuer: relay.origin,
      audience: relay.origin,
      subject: 'office',
      lifeSeconds: 600,
      claims: { cnf: { jkt: key.kid } },
    },
    generateSigningKey(),
  );
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization }), 101);
  assert.equal(await upgrade(relay, upgradeHeaders), 401);
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization: 'Bearer nonsense' }), 401);
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization: `Bearer ${forged}` }), 401);
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization, origin: relay.origin }), 403);
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization, cookie: 'a=b' }), 403);
  assert.equal(await upgrade(relay, { ...without('sec-websocket-protocol'), authorization }), 400);
  relay.revoked.add('office');
  assert.equal(await upgrade(relay, { ...upgradeHeaders, authorization }), 401);
  assert.equal(relay.strangers.length, 6);
});

/** Connects, answers the challenge as told, and returns the text of `ready` or the close code. */
function prove(
  relay: SmallRelay,
  credential: string,
  answer: (challenge: { relay: string; challenge: string }) => Promise<string>,
): Promise<string | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/tunnel`, 'postern.tunnel.v1', {
      headers: { authorization: `Bearer ${credential}` },
    });
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(data.toString());
      if (message.type === 'ready') {
        socket.terminate();
        resolve('ready');
      } else {
        answer(message).then((text) => socket.send(text), reject);
      }
    });
  });
}

test('the proof must be of this key, this challenge, this relay and this credential', async (t) => {
  const relay = await SmallRelay.start(t);
  const key = generateSigningKey();
  const { credential } = await relay.credential('office', key.kid);
  const jti = JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString()).jti as string;
  const attempt = (change: Record<string, unknown>, signer: SigningKey = key, shown: SigningKey = signer) =>
    prove(relay, credential, async ({ relay: id, challenge }) => {
      const proof = await relay.sign(
        {
          type: 'postern-tunnel-proof+jwt',
          issuer: 'office',
          subject: 'office',
          audience: relay.origin,
          lifeSeconds: 60,
          claims: { protocol: 'postern.tunnel.v1', relay: id, challenge, credential: jti, ...change },
        },
        signer,
      );
      return JSON.stringify({ type: 'proof', proof, publicKey: publicJwkOf(shown.publicKey) });
    });
  assert.equal(await attempt({}), 'ready');
  assert.equal(await attempt({ challenge: 'A'.repeat(43) }), 4003);
  assert.equal(await attempt({ relay: 'relay-2' }), 4003);
  assert.equal(await attempt({ credential: 'another' }), 4003);
  assert.equal(await attempt({ protocol: 'postern.tunnel.v0' }), 4003);
  const other = generateSigningKey();
  assert.equal(await attempt({}, other), 4003);
  assert.equal(await attempt({}, other, key), 4003);
  assert.notEqual(thumbprint(publicJwkOf(other.publicKey)), key.kid);
  assert.equal(await prove(relay, credential, () => Promise.resolve('not json')), 4003);
  // Six failures of one kind: one record, the others only counted.
  assert.equal(relay.events.filter((event) => event.kind === 'agent.refused').length, 1);
});
