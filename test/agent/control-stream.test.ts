import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect } from '../../src/agent/connect.ts';
import { jtiOf } from '../../src/agent/credential.ts';
import { generateSigningKey } from '../../src/token/key.ts';
import { encodeJson, JsonDecoder } from '../../src/tunnel/length-prefixed-json.ts';
import { encodeHeader, receiveAnswer } from '../../src/tunnel/stream-header.ts';
import { Tunnel } from '../../src/tunnel/tunnel.ts';
import { closing } from '../tunnel/pair.ts';
import { resourceOf, SmallRelay, type SmallRelayOptions } from './small-relay.ts';

/** An agent made by hand, as far as the proof; what it does in the tunnel is the test's. */
async function begin(t: TestContext, options: SmallRelayOptions = {}) {
  const relay = await SmallRelay.start(t, options);
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
  const pick = (name: string) => relay.tunnels.directory.pick(resourceOf(name, ['office']));
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  control.write(encodeJson({ type: 'announce', resources: ['wiki', 'metrics'] }));
  await relay.until(() => pick('wiki') !== undefined);
  control.write(encodeJson({ type: 'announce', resources: ['metrics'] }));
  await relay.until(() => pick('wiki') === undefined);
  assert.ok(pick('metrics'));
  control.write(encodeJson({ type: 'drain' }));
  await relay.until(() => pick('metrics') === undefined);
});

test('an agent that makes the relay talk and does not read ends its tunnel', async (t) => {
  const { control, tunnel, ended } = await begin(t, {
    judge: (_agent, _scope, announced) => announced.map(({ resource }) => ({ resource, reason: 'x'.repeat(1000) })),
  });
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  control.pause();
  const resources = Array.from({ length: 60 }, (_, at) => `name-${at}`);
  for (let n = 0; n < 100; n += 1) control.write(encodeJson({ type: 'announce', resources }));
  await ended;
  assert.equal(tunnel.end?.code, 'protocol_violation');
});

test('names of resources that objects have, too', async (t) => {
  const judged: unknown[] = [];
  const { relay, control } = await begin(t, {
    judge: (_agent, _scope, announced) => {
      judged.push(...announced.map(({ resource, protocol, ports }) => [resource, protocol, ports]));
      return [];
    },
  });
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  control.write(encodeJson({ type: 'announce', resources: ['constructor', 'toString', 'db'], ports: { db: 5432 } }));
  await relay.until(() => judged.length > 0);
  const port = { first: 5432, last: 5432 };
  assert.deepEqual(judged, [
    ['constructor', 'http', undefined],
    ['toString', 'http', undefined],
    ['db', 'http', [port]],
  ]);
});

test('an address that the agent does not list, an answer to no question, and one that comes twice', async (t) => {
  const { relay, control, tunnel } = await begin(t);
  const answers: object[] = [];
  const decoder = new JsonDecoder();
  control.on('data', (chunk: Buffer) => {
    decoder.add(chunk);
    for (let found = decoder.next(); found; found = decoder.next()) {
      const { id } = found.value as { id?: number };
      const answer = id === undefined ? undefined : answers.shift();
      if (answer) for (let n = 0; n < 2; n += 1) control.write(encodeJson({ type: 'resolved', id, ...answer }));
    }
  });
  control.write(encodeHeader({ version: 1, kind: 'control' }));
  const lan = { hosts: ['*.lan'], addresses: ['10.0.0.0/8'], ports: ['22'] };
  control.write(encodeJson({ type: 'announce', resources: [], networks: { lan } }));
  control.write(encodeJson({ type: 'resolved', id: 1, address: '10.0.0.1' }));
  await relay.until(() => relay.tunnels.directory.pick(resourceOf('lan', ['office'])) !== undefined);
  const served = relay.tunnels.directory.pick(resourceOf('lan', ['office']));
  const resolve = async (answer: object) => {
    answers.push(answer);
    const resolved = await served?.resolve('lan', { host: 'a.lan', port: 22 }, 'alice');
    return resolved && ('code' in resolved ? resolved.code : resolved.address);
  };
  assert.equal(await resolve({ address: '10.0.0.1' }), '10.0.0.1');
  assert.equal(await resolve({ address: '203.0.113.1' }), '203.0.113.1', 'wherever a listed name leads');
  assert.equal(await resolve({ address: '2001:DB8:0::1' }), '2001:db8::1', 'in its usual text');
  for (const address of ['169.254.169.254', '127.0.0.1', '::ffff:10.0.0.1', 'a.lan', '', '10.0.0.1 '])
    assert.equal(await resolve({ address }), 'not_allowed', address);
  assert.equal(await resolve({}), 'not_found');
  assert.equal(await resolve({ code: 'too_many', message: 'x'.repeat(1000) }), 'too_many');
  assert.equal(tunnel.end, undefined);
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
