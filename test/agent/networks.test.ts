import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Resource } from '../../src/domain/resource.ts';
import type { AgentTunnel } from '../../src/gateway/ports.ts';
import { EchoTarget, Office, type ReceiptChange, receiptFor, tunnelTo } from './office.ts';
import { resourceOf, SmallRelay } from './small-relay.ts';

const never = new AbortController().signal;

/** An agent whose network `lan` lists a few addresses of this machine, and one target there. */
async function begin(t: TestContext) {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const { port } = target;
  const office = new Office(
    t,
    relay,
    { fixed: port },
    {
      networks: {
        lan: { hosts: ['*.lan'], addresses: ['127.0.0.1', '10.0.0.0/8'], ports: [String(port)] },
        other: { hosts: ['*.lan'], addresses: ['127.0.0.1'], ports: ['9'] },
      },
    },
  );
  const looked: string[] = [];
  office.lookup = async (host) => {
    looked.push(host);
    return (await Promise.resolve(names.get(host))) ?? Promise.reject(new Error(`ENOTFOUND ${host}`));
  };
  const names = new Map<string, readonly string[]>();
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'lan');
  return { relay, target, port, tunnel, names, looked };
}

type World = Awaited<ReturnType<typeof begin>>;

/** `echo`, or the code with which the stream ended. */
async function ask(
  { relay, tunnel }: Pick<World, 'relay' | 'tunnel'>,
  destination: string | undefined,
  change: ReceiptChange = {},
  resource = 'lan',
): Promise<string> {
  const receipt = await receiptFor(relay, tunnel, resource, { ...change, claims: { destination, ...change.claims } });
  const stream = await tunnel.openStream({ resource, destination, receipt, signal: never });
  stream.write('echo');
  return new Promise((resolve) => {
    stream.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      stream.destroy();
    });
    stream.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

function resolve(tunnel: AgentTunnel, host: string, port: number, resource = 'lan') {
  return tunnel.resolve(resource, { host, port }, 'session');
}

test('a listed address is dialled, and nothing else without a name that led there', async (t) => {
  const world = await begin(t);
  const { port, target, looked } = world;
  assert.equal(await ask(world, `127.0.0.1:${port}`), 'echo');
  const refused = [
    `127.0.0.2:${port}`,
    `127.0.0.1:${port === 9 ? 10 : 9}`,
    `[::ffff:127.0.0.1]:${port}`,
    `[::1]:${port}`,
    `0.0.0.0:${port}`,
    `192.168.0.1:${port}`,
    // Names are for questions; what is dialled is an address.
    `x.lan:${port}`,
    `localhost:${port}`,
    '127.0.0.1',
  ];
  for (const destination of refused) assert.equal(await ask(world, destination), 'target_unreachable', destination);
  assert.equal(target.connections, 1);
  assert.deepEqual(looked, []);
});

test('a name leads to the address that this agent itself found, for that network and port alone', async (t) => {
  const world = await begin(t);
  const { tunnel, port, names, target } = world;
  // Special and not listed first: it is passed over.
  names.set('a.lan', ['169.254.169.254', '127.0.0.1', '10.0.0.1']);
  assert.deepEqual(await resolve(tunnel, 'a.lan', port), { address: '127.0.0.1' });
  assert.equal(await ask(world, `127.0.0.1:${port}`), 'echo');
  names.set('far.lan', ['203.0.113.9']);
  assert.equal(
    await ask(world, `203.0.113.9:${port}`),
    'target_unreachable',
    'nobody asked for a name that leads there',
  );
  assert.deepEqual(await resolve(tunnel, 'far.lan', 9, 'other'), { address: '203.0.113.9' });
  assert.equal(await ask(world, `203.0.113.9:${port}`), 'target_unreachable', 'found for another network and port');
  assert.equal(target.connections, 1);
});

test('what is not listed is not looked up; what leads nowhere has no address', async (t) => {
  const { tunnel, port, names, looked } = await begin(t);
  const code = async (host: string, to = port, resource = 'lan') => {
    const resolved = await resolve(tunnel, host, to, resource);
    return 'code' in resolved ? resolved.code : resolved.address;
  };
  assert.equal(await code('db.example'), 'not_allowed');
  assert.equal(await code('a.lan', port === 9 ? 10 : 9), 'not_allowed');
  assert.equal(await code('a.lan', port, 'no-such'), 'not_allowed');
  assert.equal(await code('127.0.0.1'), 'not_allowed');
  assert.deepEqual(looked, []);
  assert.equal(await code('missing.lan'), 'not_found');
  names.set('metadata.lan', ['169.254.169.254', 'fd00:ec2::254', '::ffff:10.0.0.1', 'fe80::1%eth0', 'rubbish']);
  assert.equal(await code('metadata.lan'), 'not_allowed');
  names.set('empty.lan', []);
  assert.equal(await code('empty.lan'), 'not_allowed');
});

test('a receipt names the destination of its stream, or the target sees nothing', async (t) => {
  const world = await begin(t);
  const { port, target, names, tunnel } = world;
  names.set('b.lan', ['127.0.0.1']);
  await resolve(tunnel, 'b.lan', port);
  const here = `127.0.0.1:${port}`;
  assert.equal(await ask(world, here, { claims: { destination: `10.0.0.1:${port}` } }), 'target_unreachable');
  assert.equal(await ask(world, here, { claims: { destination: undefined } }), 'target_unreachable');
  assert.equal(await ask(world, here, { claims: { resource: 'other' } }), 'target_unreachable');
  assert.equal(await ask(world, undefined), 'target_unreachable', 'a network has no target of its own');
  assert.equal(await ask(world, here, {}, 'fixed'), 'target_unreachable', 'a fixed target takes no destination');
  assert.equal(await ask(world, undefined, { claims: { destination: here } }, 'fixed'), 'target_unreachable');
  assert.equal(target.connections, 0);
  assert.equal(await ask(world, undefined, {}, 'fixed'), 'echo');
  assert.equal(await ask(world, here), 'echo');
});

test('a destination that does not answer says nothing about the network', async (t) => {
  const world = await begin(t);
  const { relay, tunnel, target, port } = world;
  target.stop();
  assert.equal(await ask(world, `127.0.0.1:${port}`), 'target_unreachable');
  assert.deepEqual(relay.tunnels.list()[0]?.unreachable.includes('lan'), false);
  assert.equal(relay.tunnels.directory.pick(resourceOf('lan', ['office'])), tunnel);
});

test('one session may have 32 names looked up at once, and a lost tunnel answers all', async (t) => {
  const world = await begin(t);
  const { tunnel, port, names, relay } = world;
  const waiting = Promise.withResolvers<readonly string[]>();
  names.get = () => waiting.promise as never;
  const asked = Array.from({ length: 40 }, (_, n) => tunnel.resolve('lan', { host: `n${n}.lan`, port }, 'alice'));
  const other = tunnel.resolve('lan', { host: 'x.lan', port }, 'bob');
  const refused = await Promise.all(asked.slice(32));
  assert.ok(refused.every((each) => 'code' in each && each.code === 'too_many'));
  waiting.resolve(['10.0.0.1']);
  assert.deepEqual(await other, { address: '10.0.0.1' });
  assert.deepEqual(await asked[0], { address: '10.0.0.1' });

  const late = Promise.withResolvers<readonly string[]>();
  names.get = () => late.promise as never;
  const open = tunnel.resolve('lan', { host: 'y.lan', port }, 'alice');
  relay.tunnels.endAgent('office', 'a test');
  const lost = await open;
  assert.equal('code' in lost && lost.code, 'tunnel_closed');
  const after = await tunnel.resolve('lan', { host: 'z.lan', port }, 'alice');
  assert.equal('code' in after && after.code, 'tunnel_closed');
  late.resolve([]);
});

test('more questions than an agent may send messages of its own accord', async (t) => {
  const { tunnel, port, names } = await begin(t);
  names.set('a.lan', ['10.0.0.1']);
  for (let n = 0; n < 60; n += 1) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => resolve(tunnel, 'a.lan', port)));
    assert.ok(answers.every((each) => 'address' in each));
  }
  assert.equal(tunnel.closed, false);
});

test('of several agents of a network, the tunnels of those that list the destination are taken, in turn', async (t) => {
  const relay = await SmallRelay.start(t);
  const lists = { office: ['a.lan'], warehouse: ['*.lan'] };
  for (const [name, hosts] of Object.entries(lists)) {
    const networks = { lan: { hosts, addresses: [], ports: ['22'] } };
    const agent = new Office(t, relay, {}, { name, networks });
    agent.giveToken(relay, `token-of-${name}`);
    agent.start();
  }
  await relay.until(() => relay.tunnels.list().filter(({ resources }) => resources.includes('lan')).length === 2);
  const lan: Resource = { ...resourceOf('lan', ['office', 'warehouse']), protocol: 'network' };
  const agentsFor = (host: string) =>
    new Set(
      Array.from({ length: 6 }, () => {
        const found = relay.tunnels.directory.findNetwork({ host, port: 22 }, new Map([['lan', lan]]));
        return found?.tunnel.agent;
      }),
    );
  assert.deepEqual(agentsFor('a.lan'), new Set(['office', 'warehouse']));
  assert.deepEqual(agentsFor('b.lan'), new Set(['warehouse']));
  relay.tunnels.endAgent('warehouse', 'a test');
  assert.deepEqual(agentsFor('b.lan'), new Set([undefined]));
  assert.deepEqual(agentsFor('a.lan'), new Set(['office']));
});

test('a network is found by what its live agents list, and only as the relay knows it', async (t) => {
  const { relay, port, tunnel } = await begin(t);
  const network = (name: string): [string, Resource] => [
    name,
    { ...resourceOf(name, ['office']), protocol: 'network' },
  ];
  const find = (host: string, to: number, ...resources: [string, Resource][]) =>
    relay.tunnels.directory.findNetwork({ host, port: to }, new Map(resources))?.resource.name;
  const both = [network('lan'), network('other')];
  assert.equal(find('a.lan', port, ...both), 'lan');
  assert.equal(find('a.lan', 9, ...both), 'other');
  assert.equal(find('a.lan', 10, ...both), undefined);
  assert.equal(find('10.0.0.1', port, ...both), 'lan');
  assert.equal(find('10.0.0.1', 9, ...both), undefined);
  assert.equal(find('a.lan', port, network('other')), undefined, 'what the relay does not know is not served');
  assert.equal(
    find('a.lan', port, ['lan', { ...network('lan')[1], protocol: 'tcp' }]),
    undefined,
    'nor what is no network there',
  );
  assert.equal(find('a.lan', port, ['lan', { ...network('lan')[1], agents: ['warehouse'] }]), undefined);
  relay.drained.add('office');
  assert.equal(find('a.lan', port, ...both), undefined);
  relay.drained.clear();
  assert.equal(tunnel.closed, false);
});
