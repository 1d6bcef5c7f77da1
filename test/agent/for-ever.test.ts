import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../src/lib/secret.ts';
import { freePort } from '../e2e/free-port.ts';
import { closing, collect } from '../tunnel/pair.ts';
import { startProxy } from './http-proxy.ts';
import { EchoTarget, Office, receiptFor, tunnelTo } from './office.ts';
import { resourceOf, SmallRelay } from './small-relay.ts';

const never = new AbortController().signal;

async function echoes(relay: SmallRelay, text: string, agents = ['office']): Promise<void> {
  const tunnel = relay.tunnels.directory.pick(resourceOf('wiki', agents));
  assert.ok(tunnel);
  const receipt = await receiptFor(relay, tunnel, 'wiki');
  const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
  const answer = collect(stream);
  stream.end(text);
  assert.equal((await answer).toString(), text);
}

async function behindProxy(t: TestContext, credentials: string | undefined, user?: string, password?: string) {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const proxy = await startProxy(t, credentials);
  const office = new Office(
    t,
    relay,
    { wiki: target.port },
    { proxy: { origin: proxy.origin, user, password: password === undefined ? undefined : new Secret(password) } },
  );
  office.giveToken(relay);
  office.start();
  return { relay, proxy, office };
}

test('behind an HTTP proxy the agent asks it with CONNECT, for enrollment, credential and tunnel', async (t) => {
  const { relay, proxy } = await behindProxy(t, undefined);
  await tunnelTo(relay, 'wiki');
  await echoes(relay, 'through the proxy');
  assert.deepEqual(new Set(proxy.led), new Set([`postern.localhost:${relay.port}`]));
  assert.equal(proxy.led.length, 3);
});

test('a proxy that wants a user and a password gets them', async (t) => {
  const { relay, proxy } = await behindProxy(t, 'agent:p:ss wörd', 'agent', 'p:ss wörd');
  await tunnelTo(relay, 'wiki');
  await echoes(relay, 'as agent');
  assert.deepEqual(proxy.refused, []);
});

test('without them, or with wrong ones, the agent says so, and that nothing got through', async (t) => {
  const without = await behindProxy(t, 'agent:secret');
  await without.relay.until(() => without.office.said.length > 0);
  assert.match(without.office.said[0] ?? '', /^The proxy .* wants a user and a password: .*passwordFile/);
  const wrong = await behindProxy(t, 'agent:secret', 'agent', 'guess');
  await wrong.relay.until(() => wrong.office.said.length > 0);
  assert.match(wrong.office.said[0] ?? '', /does not take the user agent with this password/);
  assert.doesNotMatch(JSON.stringify(wrong.office.said), /guess/);
  assert.deepEqual([...without.proxy.led, ...wrong.proxy.led], []);
});

test('a cable that is cut without a word is noticed within two heartbeats, at both ends', async (t) => {
  const heartbeatMs = 300;
  const relay = await SmallRelay.start(t, { heartbeatMs });
  const target = await new EchoTarget().start(t);
  const proxy = await startProxy(t);
  const office = new Office(
    t,
    relay,
    { wiki: target.port },
    { heartbeatMs, proxy: { origin: proxy.origin, user: undefined, password: undefined } },
  );
  office.giveToken(relay);
  office.start();
  const first = await tunnelTo(relay, 'wiki');
  const receipt = await receiptFor(relay, first, 'wiki');
  const stream = await first.openStream({ resource: 'wiki', receipt, signal: never });
  stream.write('x');
  stream.resume();
  const closed = closing(stream);
  const cutAt = performance.now();
  proxy.cut();
  assert.equal((await closed)?.code, 'tunnel_closed');
  const tookMs = performance.now() - cutAt;
  t.diagnostic(`cut seen after ${Math.round(tookMs)} ms with a heartbeat of ${heartbeatMs} ms`);
  assert.ok(first.closed);
  await relay.until(() => office.said.filter((line) => line === 'connected').length === 2);
  await tunnelTo(relay, 'wiki');
  await echoes(relay, 'on the new one');
  assert.match(office.said.join('\n'), /The tunnel ended \(heartbeat_missed: .*Connecting again\./);
});

test('the new tunnel does not wait for the old one: both ends may disagree about its death', async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const proxy = await startProxy(t);
  const office = new Office(
    t,
    relay,
    { wiki: target.port },
    { heartbeatMs: 200, proxy: { origin: proxy.origin, user: undefined, password: undefined } },
  );
  office.giveToken(relay);
  office.start();
  const first = await tunnelTo(relay, 'wiki');
  proxy.cut();
  await relay.until(() => relay.tunnels.list().length === 2);
  assert.equal(first.closed, false, 'the relay, with its slow heartbeat, still believes in the old one');
  await relay.until(() => relay.tunnels.directory.pick(resourceOf('wiki', ['office'])) !== first);
  await echoes(relay, 'at once');
  assert.deepEqual(
    relay.events.map((event) => [event.kind, 'reason' in event ? event.reason : undefined]),
    [
      ['agent.connected', undefined],
      ['agent.connected', 'besides_another_tunnel'],
    ],
  );
});

test('a page in place of the relay is named as what it is, and the agent goes on trying', async (t) => {
  const captive = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to the hotel</h1>');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => captive.listen(port, '127.0.0.1', resolve));
  t.after(() => captive.close());
  const office = new Office(t, { origin: `http://postern.localhost:${port}` }, { wiki: 1 });
  const tokens = new Map<string, string>();
  office.giveToken({ tokens } as SmallRelay);
  office.start();
  const limit = Date.now() + 30_000;
  while (office.said.length === 0 && Date.now() < limit) await new Promise((resolve) => setImmediate(resolve));
  assert.match(
    office.said[0] ?? '',
    /^Something else answers in place of the relay .*\(200, text\/html\).*Trying again\.$/,
  );
  // The network lets it out: the relay is there, and so is the tunnel.
  captive.closeAllConnections();
  await new Promise((resolve) => captive.close(resolve));
  const relay = await SmallRelay.start(t, { port });
  relay.tokens.set('a-token', 'office');
  await tunnelTo(relay, 'wiki');
});

test('a relay that stops lets streams finish while the agent is already on the next one', async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const office = new Office(t, relay, { wiki: target.port });
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'wiki');
  const receipt = await receiptFor(relay, tunnel, 'wiki');
  const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
  stream.write('begun ');
  await new Promise((resolve) => stream.once('readable', resolve));
  const { port, key, agentKeys } = relay;
  // As the relay does it: nothing new is accepted, agents are told, what is open goes on.
  const closed = new Promise((resolve) => relay.server.close(resolve));
  relay.tunnels.drain();
  const next = await SmallRelay.start(t, { port, key, agentKeys });
  await tunnelTo(next, 'wiki');
  await echoes(next, 'on the new relay');
  const rest = collect(stream);
  stream.end('and finished');
  assert.equal((await rest).toString(), 'begun and finished');
  assert.equal(tunnel.closed, false);
  await relay.tunnels.close();
  await closed;
  assert.equal(next.tunnels.list().length, 1);
  assert.doesNotMatch(office.said.join('\n'), /tunnel ended/);
});

test('two agents share a resource; when one is lost, new streams go to the other without an error', async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const names = ['left', 'right'];
  const offices = names.map((name) => {
    const office = new Office(t, relay, { wiki: target.port }, { name });
    office.giveToken(relay, `token-${name}`);
    office.start();
    return office;
  });
  const both = resourceOf('wiki', names);
  await relay.until(() => relay.tunnels.list().filter(({ resources }) => resources.includes('wiki')).length === 2);
  const picked = Array.from({ length: 10 }, () => relay.tunnels.directory.pick(both)?.agent);
  assert.deepEqual(
    names.map((name) => picked.filter((agent) => agent === name).length),
    [5, 5],
  );
  await offices[0]?.stop();
  await relay.until(() => relay.tunnels.list().length === 1);
  assert.ok(Array.from({ length: 10 }, () => relay.tunnels.directory.pick(both)?.agent).every((a) => a === 'right'));
});

test('an agent whose target is down is passed over as soon as that is known, and shown', async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const gone = await new EchoTarget().start(t);
  gone.stop();
  const { port } = target;
  for (const [name, to] of [
    ['left', gone.server.listening ? 0 : 1],
    ['right', port],
  ] as const) {
    const office = new Office(t, relay, { wiki: to }, { name });
    office.giveToken(relay, `token-${name}`);
    office.start();
  }
  const both = resourceOf('wiki', ['left', 'right']);
  // Nobody has asked for it yet: the agent looked by itself.
  await relay.until(() => relay.tunnels.list().some(({ unreachable }) => unreachable.includes('wiki')));
  await relay.until(
    () => relay.tunnels.list().length === 2 && relay.tunnels.list().every((t) => t.resources.length > 0),
  );
  assert.deepEqual(
    relay.tunnels.list().flatMap(({ agent, unreachable }) => (unreachable.length > 0 ? [agent] : [])),
    ['left'],
  );
  assert.ok(Array.from({ length: 10 }, () => relay.tunnels.directory.pick(both)?.agent).every((a) => a === 'right'));
  assert.equal(relay.tunnels.directory.pick(resourceOf('wiki', ['left']))?.agent, 'left', 'better than nothing');
});
