import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { request, Agent as UndiciAgent } from 'undici';
import { runAgent } from '../../src/agent/run.ts';
import { generateSigningKey } from '../../src/token/key.ts';
import { freePort } from '../e2e/free-port.ts';
import { closing, collect } from '../tunnel/pair.ts';
import { EchoTarget, Office, type ReceiptChange, receiptFor, tunnelTo } from './office.ts';
import { resourceOf, SmallRelay, silent } from './small-relay.ts';

const never = new AbortController().signal;

async function begin(t: TestContext, options: { credentialLifeSeconds?: number } = {}) {
  const relay = await SmallRelay.start(t, options);
  const target = await new EchoTarget().start(t);
  const office = new Office(t, relay, { wiki: target.port });
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'wiki');
  const open = async (resource = 'wiki', change: ReceiptChange = {}): Promise<Duplex> =>
    tunnel.openStream({ resource, receipt: await receiptFor(relay, tunnel, resource, change), signal: never });
  return { relay, target, office, tunnel, open };
}

test('an agent enrolls, connects and carries bytes to its target and back, with half-close', async (t) => {
  const { relay, office, open } = await begin(t);
  const stream = await open();
  const sent = randomBytes(5_000_000);
  const received = collect(stream);
  stream.end(sent);
  assert.ok(sent.equals(await received));
  assert.equal(statSync(join(office.config.stateDir, 'agent-key.pem')).mode & 0o777, 0o600);
  assert.deepEqual(
    relay.tunnels.list().map(({ agent, resources }) => ({ agent, resources })),
    [{ agent: 'office', resources: ['wiki'] }],
  );
  await office.stop();
  await relay.stop();
  assert.deepEqual(
    relay.events.map((event) => event.kind),
    ['agent.connected', 'agent.disconnected'],
  );
});

test('undici speaks HTTP over tunnel streams', async (t) => {
  const web = createHttpServer((incoming, response) => {
    incoming.pipe(response.writeHead(201, { 'x-path': incoming.url ?? '' }));
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  const relay = await SmallRelay.start(t);
  const office = new Office(t, relay, { web: (web.address() as { port: number }).port });
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'web');
  const connect = async (callback: (...result: [null, Socket] | [Error, null]) => void) => {
    const receipt = await receiptFor(relay, tunnel, 'web');
    const stream = await tunnel.openStream({ resource: 'web', receipt, signal: never });
    callback(null, stream as Socket);
  };
  const dispatcher = new UndiciAgent({ connect: (_options, callback) => void connect(callback) });
  for (let n = 0; n < 5; n += 1) {
    const answer = await request('http://web.test/a%2Fb?x', { method: 'POST', body: `body ${n}`, dispatcher });
    assert.equal(answer.statusCode, 201);
    assert.equal(answer.headers['x-path'], '/a%2Fb?x');
    assert.equal(await answer.body.text(), `body ${n}`);
  }
  await dispatcher.destroy();
});

test('a target that closes early, and one that nobody listens on, are told apart', async (t) => {
  const relay = await SmallRelay.start(t);
  const rude = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
  t.after(() => rude.close());
  const targets = { rude: (rude.address() as { port: number }).port, nobody: await freePort() };
  const office = new Office(t, relay, targets);
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'rude');
  const fail = async (resource: string) => {
    const receipt = await receiptFor(relay, tunnel, resource);
    const stream = await tunnel.openStream({ resource, receipt, signal: never });
    stream.resume();
    let ended = false;
    stream.on('end', () => (ended = true));
    stream.write('GET / HTTP/1.1\r\n');
    const code = (await closing(stream))?.code;
    return ended ? 'a plain end' : code;
  };
  assert.equal(await fail('rude'), 'ECONNRESET');
  assert.equal(await fail('nobody'), 'target_unreachable');
  await relay.until(() => relay.tunnels.list()[0]?.unreachable.includes('nobody') ?? false);
  assert.equal(tunnel.closed, false);
});

test('receipts that do not fit open nothing: the target sees no connection', async (t) => {
  const { target, open, relay, tunnel } = await begin(t);
  const wrong: [string, ReceiptChange][] = [
    ['wiki', { claims: { agent: 'warehouse' } }],
    ['wiki', { content: { audience: 'warehouse' } }],
    ['wiki', { claims: { tunnel: 'another-tunnel' } }],
    ['wiki', { claims: { relay: 'relay-2' } }],
    ['wiki', { claims: { openBefore: Date.now() - 1 } }],
    ['wiki', { claims: { openBefore: Date.now() + 3_600_000 } }],
    ['wiki', { claims: { resource: 'metrics' } }],
    ['wiki', { content: { subject: 'metrics' } }],
    ['wiki', { content: { type: 'postern-assertion+jwt' } }],
    ['wiki', { content: { issuer: 'http://elsewhere' } }],
    ['wiki', { key: generateSigningKey() }],
    ['metrics', {}],
  ];
  for (const [resource, change] of wrong) {
    const stream = await open(resource, change);
    stream.resume();
    stream.write('x');
    assert.equal((await closing(stream))?.code, 'target_unreachable', JSON.stringify(change));
  }
  assert.equal(target.connections, 0);
  // The good twin, then the same receipt again.
  const receipt = await receiptFor(relay, tunnel, 'wiki');
  const first = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
  const answer = collect(first);
  first.end('x');
  assert.equal((await answer).toString(), 'x');
  const second = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
  second.resume();
  assert.equal((await closing(second))?.code, 'target_unreachable');
  assert.equal(target.connections, 1);
});

test('the agent comes back after the relay restarted, without a new token', async (t) => {
  const { relay, open } = await begin(t);
  const stream = await open();
  stream.resume();
  stream.write('x');
  const closed = closing(stream);
  const { port, key, agentKeys, origin } = relay;
  await relay.stop();
  assert.equal((await closed)?.code, 'tunnel_closed');
  const again = await SmallRelay.start(t, { port, key, agentKeys });
  assert.equal(again.origin, origin);
  const tunnel = await tunnelTo(again, 'wiki');
  const receipt = await receiptFor(again, tunnel, 'wiki');
  const second = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
  const answer = collect(second);
  second.end('here again');
  assert.equal((await answer).toString(), 'here again');
});

test('the credential is renewed in the tunnel without dropping a stream; not renewed, the tunnel ends', async (t) => {
  const { relay, open, tunnel } = await begin(t, { credentialLifeSeconds: 2 });
  const stream = await open();
  await relay.until(() => relay.renewals >= 1);
  relay.credentialLifeSeconds = 600;
  await relay.until(() => (relay.tunnels.list()[0]?.expiresAt ?? 0) > Date.now());
  const answer = collect(stream);
  stream.end('still here');
  assert.equal((await answer).toString(), 'still here');
  assert.equal(tunnel.closed, false);
});

test('a revoked agent loses its tunnel and its streams at once, and gets no other', async (t) => {
  const { relay, open, tunnel } = await begin(t);
  const stream = await open();
  relay.revoked.add('office');
  relay.tunnels.endAgent('office', 'The agent was revoked.');
  assert.ok(tunnel.closed);
  assert.equal((await closing(stream))?.code, 'tunnel_closed');
  await relay.event('agent.refused');
  assert.equal(relay.tunnels.directory.pick(resourceOf('wiki', ['office'])), undefined);
});

test('without a token the agent waits for one; a wrong one is refused, a right one is taken', async (t) => {
  const relay = await SmallRelay.start(t);
  const office = new Office(t, relay, { wiki: 1 });
  office.start();
  office.giveToken(relay, 'right');
  await tunnelTo(relay, 'wiki');
  assert.equal(relay.tokens.size, 0);
});

test('only agents that the resource lists are picked', async (t) => {
  const { relay } = await begin(t);
  assert.equal(relay.tunnels.directory.pick(resourceOf('wiki', ['warehouse'])), undefined);
  assert.equal(relay.tunnels.directory.pick(resourceOf('other', ['office'])), undefined);
  assert.ok(relay.tunnels.directory.pick(resourceOf('wiki', ['warehouse', 'office'])));
});

test('two tunnels of one agent both live; the newest is taken, and when it ends the older one', async (t) => {
  const { relay, office, tunnel } = await begin(t);
  const stopping = new AbortController();
  const second = runAgent(office.config, { signal: stopping.signal, log: silent });
  const newest = () => relay.tunnels.directory.pick(resourceOf('wiki', ['office']));
  await relay.until(() => newest() !== tunnel);
  assert.equal(relay.tunnels.list().length, 2);
  assert.equal(tunnel.closed, false);
  stopping.abort();
  await second;
  await relay.until(() => relay.tunnels.list().length === 1);
  assert.equal(newest(), tunnel);
});

test('an opening that takes too long, or is no longer wanted, fails with its own code', async (t) => {
  const { relay, tunnel } = await begin(t);
  const receipt = await receiptFor(relay, tunnel, 'wiki');
  const stopped = AbortSignal.abort();
  await assert.rejects(tunnel.openStream({ resource: 'wiki', receipt, signal: stopped }), { code: 'aborted' });
  const late = AbortSignal.abort(new DOMException('', 'TimeoutError'));
  await assert.rejects(tunnel.openStream({ resource: 'wiki', receipt, signal: late }), { code: 'timeout' });
  const stopping = new AbortController();
  const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: stopping.signal });
  stopping.abort();
  assert.equal((await closing(stream))?.code, 'aborted');
});

test('a new token in the file replaces the key at the next start; a bad one changes nothing', async (t) => {
  const { relay, office } = await begin(t);
  const keyOf = () => relay.agentKeys.get('office')?.x;
  const first = keyOf();
  await office.stop(true);
  await relay.until(() => relay.tunnels.list().length === 0);
  office.giveToken(relay, 'fresh');
  office.start();
  await relay.until(() => relay.tunnels.list().length === 1);
  const second = keyOf();
  assert.notEqual(second, first);
  assert.equal(statSync(join(office.config.stateDir, 'agent-key.pem')).mode & 0o777, 0o600);
  await office.stop(true);
  await relay.until(() => relay.tunnels.list().length === 0);
  office.giveToken(relay, 'bad');
  relay.tokens.clear();
  office.start();
  await relay.until(() => relay.tunnels.list().length === 1);
  assert.equal(keyOf(), second);
  assert.match(office.said.join(), /new enrollment token was refused; going on/);
});

test('a relay in trouble has not refused the new token: the agent shows it again', async (t) => {
  const { relay, office } = await begin(t);
  const first = relay.agentKeys.get('office')?.x;
  await office.stop(true);
  await relay.until(() => relay.tunnels.list().length === 0);
  office.giveToken(relay, 'fresh');
  relay.enrollmentsInTrouble = 1;
  office.start();
  await relay.until(() => relay.tunnels.list().length === 1);
  assert.notEqual(relay.agentKeys.get('office')?.x, first);
  assert.match(office.said.join(), /\(503\). The token is as good as before. Trying again/);
  assert.doesNotMatch(office.said.join(), /refused/);
});

test('a credential that is still good opens the next tunnel without asking for another', async (t) => {
  const { relay, tunnel } = await begin(t);
  assert.equal(relay.credentialsAsked, 1);
  const { port, key, agentKeys } = relay;
  await relay.stop();
  assert.ok(tunnel.closed);
  const again = await SmallRelay.start(t, { port, key, agentKeys });
  await tunnelTo(again, 'wiki');
  assert.equal(again.credentialsAsked, 0);
});

test('a drained agent gets no new streams, and its open ones go on', async (t) => {
  const { relay, open } = await begin(t);
  const stream = await open();
  relay.drained.add('office');
  assert.equal(relay.tunnels.directory.pick(resourceOf('wiki', ['office'])), undefined);
  const answer = collect(stream);
  stream.end('to the end');
  assert.equal((await answer).toString(), 'to the end');
  relay.drained.delete('office');
  assert.ok(relay.tunnels.directory.pick(resourceOf('wiki', ['office'])));
});

test('what an agent may not serve is refused with a reason that it passes on; the rest is served', async (t) => {
  const judge = () => [{ resource: 'metrics', reason: 'warehouse holds this name' }];
  const relay = await SmallRelay.start(t, { judge });
  const office = new Office(t, relay, { wiki: 1, metrics: 1 });
  office.giveToken(relay);
  office.start();
  await tunnelTo(relay, 'wiki');
  assert.equal(relay.tunnels.directory.pick(resourceOf('metrics', ['office'])), undefined);
  await relay.event('agent.announcement_refused');
  await relay.until(() =>
    office.said.some((line) => line.includes('metrics from this agent: warehouse holds this name')),
  );
});
