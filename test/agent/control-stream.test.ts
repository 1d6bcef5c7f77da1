import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect } from '../../src/agent/connect.ts';
import { jtiOf } from '../../src/agent/credential.ts';
import { generateSigningKey } from '../../src/token/key.ts';
import { encodeJson } from '../../src/tunnel/length-prefixed-json.ts';
import { encodeHeader, receiveAnswer } from '../../src/tunnel/stream-header.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { closing } from '../tunnel/pair.ts';
import { resourceOf, SmallRelay } from './small-relay.ts';

/** An agent made by hand, as far as the proof; what it does in the tunnel is the test's. */
async function begin(t: TestContext) {
  const relay = await SmallRelay.start(t);
  const key = generateSigningKey();
  const { credential, expiresAt } = await relay.credential('office', key.kid);
  const config = { relay: relay.origin, name: 'office', stateDir: '', heartbeatMs: 60_000, targets: {}, networks: {} };
  const signal = new AbortController().signal;
  const { transport } = await connect(config, key, { jwt: credential, jti: jtiOf(credential), expiresAt }, signal);
  const tunnel = new Tunnel(transport, { side: 'dialler', heartbeatMs: 60_000 });
  const ended = new Promise<void>((resolve) => tunnel.ended.addEventListener('abort', () => resolve()));
  const control = tunnel.open();
  control.resume();
  return { relay, tunnel, control, ended };
}

test('an agent may open the control stream and no other', async (t) => {
  const { tunnel, control } = await begin(t);
  const answer = receiveAnswer(control, 5000);
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  assert.deepEqual(await answer, { ok: true });
  const second = tunnel.open();
  second.resume();
  second.write(encodeHeader({ version: 1, kind: 'resource', resource: 'wiki' }));
  assert.equal((await closing(second))?.code, 'ECONNRESET');
  assert.equal(tunnel.end, undefined);
});

test('only announced resources are served, and a draining tunnel takes no new streams', async (t) => {
  const { relay, control } = await begin(t);
  const pick = (name: string) => relay.endpoint.directory.pick(resourceOf(name, ['office']));
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  control.write(encodeJson({ type: 'announce', resources: ['wiki', 'metrics'] }));
  await relay.until(() => pick('wiki') !== undefined);
  control.write(encodeJson({ type: 'announce', resources: ['metrics'] }));
  await relay.until(() => pick('wiki') === undefined);
  assert.ok(pick('metrics'));
  control.write(encodeJson({ type: 'drain' }));
  await relay.until(() => pick('metrics') === undefined);
});

const broken: Record<string, Buffer> = {
  'another first stream': encodeHeader({ version: 1, kind: 'resource', resource: 'wiki' }),
  'an unknown message': Buffer.concat([
    encodeHeader({ version: 1, kind: 'control' }),
    encodeJson({ type: 'make me admin' }),
  ]),
  'a message that is not JSON': Buffer.concat([
    encodeHeader({ version: 1, kind: 'control' }),
    Buffer.from([0, 3, 1, 2, 3]),
  ]),
};

for (const [what, bytes] of Object.entries(broken)) {
  test(`${what} on the control stream ends the tunnel`, async (t) => {
    const { tunnel, control, ended } = await begin(t);
    control.write(bytes);
    await ended;
    assert.deepEqual({ code: tunnel.end?.code, by: tunnel.end?.by }, { code: 'protocol_violation', by: 'peer' });
  });
}
