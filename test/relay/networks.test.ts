import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { ClientTunnel } from '../../src/client/tunnel/client-tunnel.ts';
import { StreamRefusedError } from '../../src/client/tunnel/refusal.ts';
import type { AccessList } from '../../src/control/contract/accesses.ts';
import type { AuditEntryPage } from '../../src/control/contract/audit.ts';
import { Secret } from '../../src/lib/secret.ts';
import { ourPage, startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { eventually } from '../eventually.ts';

const NEVER = new AbortController().signal;
/** All of these are this machine. Special addresses, so the agent's list names each that it may dial. */
const FIRST = '127.0.0.2';
const SECOND = '127.0.0.3';
const UNLISTED = '127.0.0.4';

describe('connections through a network resource', () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let audrey: string;
  let root: string;
  let first: Target;
  let second: Target;
  let unlisted: Target;
  /** The DNS of the agent's network: the answers to each name, one after the other, the last for ever. */
  const dns = new Map<string, string[]>();
  const asked: string[] = [];
  let port = 0;

  const rules = (...more: string[]) => [
    {
      id: 'engineers-at-databases',
      effect: 'allow',
      who: ['provider:engineering'],
      what: ['resource:lan'],
      destinations: [`db1.lan:${port}`, `moving.lan:${port}`, '[fd00::/8]:9', '0.0.0.0/0:9'],
      message: 'The databases are for engineering.',
    },
    {
      id: 'operators-everywhere',
      effect: 'allow',
      who: ['provider:operators'],
      what: ['resource:lan', ...more],
    },
    {
      id: 'nobody-at-the-vault',
      effect: 'deny',
      who: ['anyone-signed-in'],
      what: ['any-resource'],
      destinations: ['vault.lan:*', `${SECOND}:*`],
      message: 'The vault is closed.',
    },
  ];

  before(async () => {
    first = undo.use(await startTarget(FIRST, 0));
    port = first.port;
    second = undo.use(await startTarget(SECOND, port));
    unlisted = undo.use(await startTarget(UNLISTED, port));
    whole = undo.use(
      await startWholeRelay({ resources: { lan: { protocol: 'network', agent: 'office' } }, rules: rules() }),
    );
    audrey = await whole.signIn('audrey', ['audit']);
    root = await whole.signIn('root', ['admins', 'security']);
    await whole.startAgent({}, root, 'office', {
      networks: {
        lan: { hosts: ['*.lan'], addresses: [FIRST, SECOND, '10.0.0.0/8'], ports: [port, 9] },
        lab: { hosts: ['only.lab'], addresses: [FIRST], ports: [port] },
        wide: { hosts: ['*'], ports: ['*'] },
      },
      scope: [`lab:${port}-${port}`, 'wide:1-1023'],
      lookup: (host) => {
        asked.push(host);
        const answers = dns.get(host);
        const answer = answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
        return answer === undefined ? Promise.reject(new Error(`ENOTFOUND ${host}`)) : Promise.resolve([answer]);
      },
    });
  });
  after(() => undo.disposeAsync());

  const clientOf = async (name: string, groups: readonly string[]): Promise<ClientTunnel> => {
    const token = new Secret(await whole.issueToken(await whole.signIn(name, groups)));
    return undo.use(
      new ClientTunnel({
        credential: () => ({ relay: whole.origin, token, expiresAt: Number.MAX_VALUE, person: '' }),
      }),
    );
  };
  const entries = async (query: string) => {
    const url = `/api/v1/audit/entries?query=${encodeURIComponent(query)}`;
    const { body } = await whole.ask(url, { headers: { cookie: audrey } });
    return (JSON.parse(body) as AuditEntryPage).entries.flatMap(({ event, outcome }) =>
      event.kind === 'access.intent' ? [{ ...event, end: outcome?.end }] : [],
    );
  };
  const exchange = async (client: ClientTunnel, destination: string): Promise<string> => {
    const stream = await client.open({ destination }, NEVER);
    stream.end('hello');
    return (await buffer(stream)).toString();
  };

  test('a listed name is resolved once, decided, recorded with its person, and the recorded address is dialled', async () => {
    dns.set('db1.lan', [FIRST]);
    const alice = await clientOf('alice', ['engineering']);
    first.atFirstByte = () => entries(`who:alice@example.com destination:${FIRST}`);
    assert.equal(await exchange(alice, `DB1.lan:${port}`), `${FIRST} hello`);
    const [seen] = (await first.found) as Awaited<ReturnType<typeof entries>>;
    assert.equal(seen?.personal?.email, 'alice@example.com', 'recorded before the target saw the first byte');
    assert.equal(seen?.host, `db1.lan:${port}`);
    assert.equal(seen?.destination, `${FIRST}:${port}`);
    assert.deepEqual([seen?.resource, seen?.rule, seen?.method], ['lan', 'engineers-at-databases', 'CONNECT']);
    assert.deepEqual(asked.filter((host) => host === 'db1.lan').length, 1);
  });

  test('whom no rule lets there is denied on record, and not even the name is looked up', async () => {
    dns.set('db1.lan', [FIRST]);
    const before = [first.connections, asked.length];
    const bob = await clientOf('bob', ['sales']);
    const denied = await refusal(bob, `db1.lan:${port}`);
    assert.match(denied.message, /The databases are for engineering\./);
    assert.equal(denied.refusal, 'denied');
    const alice = await clientOf('alice', ['engineering']);
    assert.equal((await refusal(alice, `other.lan:${port}`)).refusal, 'denied');
    assert.deepEqual([first.connections, asked.length], before);
    const [record] = await entries('who:bob@example.com');
    assert.deepEqual([record?.effect, record?.host, record?.destination], ['deny', `db1.lan:${port}`, undefined]);
    assert.ok(denied.message.includes(record?.id ?? '-'));
  });

  test('a name that leads elsewhere the second time: what was decided is dialled, and the new address is decided anew', async () => {
    const alice = await clientOf('alice', ['engineering']);
    const before = second.connections;
    dns.set('moving.lan', [FIRST, SECOND]);
    assert.equal(await exchange(alice, `moving.lan:${port}`), `${FIRST} hello`);
    const again = await refusal(alice, `moving.lan:${port}`);
    assert.match(again.message, /The vault is closed\./);
    assert.equal(second.connections, before);
    const [denied, allowed] = await entries(`who:alice@example.com host:moving.lan:${port}`);
    assert.deepEqual([denied?.destination, denied?.rule], [`${SECOND}:${port}`, 'nobody-at-the-vault']);
    assert.equal(allowed?.destination, `${FIRST}:${port}`);
  });

  test('special addresses are dialled for no name: metadata, and loopback that is not listed by itself', async () => {
    const alice = await clientOf('alice', ['engineering']);
    const before = unlisted.connections;
    for (const address of ['169.254.169.254', UNLISTED, '::ffff:127.0.0.2', '0.0.0.0', '::1', '64:ff9b::a9fe:a9fe']) {
      dns.set('db1.lan', [address]);
      const refused = await refusal(alice, `db1.lan:${port}`);
      assert.equal(refused.refusal, 'dial_refused', address);
      assert.match(refused.message, /leads to no address that this agent may dial/);
    }
    assert.equal(unlisted.connections, before);
    const [record] = await entries(`who:alice@example.com host:db1.lan:${port}`);
    assert.deepEqual([record?.effect, record?.reasons], ['deny', ['destination_unresolved']]);
    dns.set('db1.lan', [FIRST]);
  });

  test('a deny by name, a deny by address, and a literal address', async () => {
    const olga = await clientOf('olga', ['operators']);
    dns.set('vault.lan', [FIRST]);
    assert.equal((await refusal(olga, `vault.lan:${port}`)).refusal, 'denied');
    assert.equal((await refusal(olga, `${SECOND}:${port}`)).refusal, 'denied');
    // The network `lab` lists it, too: what an agent announces takes nothing from what the relay's file gives.
    assert.equal(await exchange(olga, `${FIRST}:${port}`), `${FIRST} hello`);
    const [record] = await entries('who:olga@example.com effect:allow');
    assert.deepEqual([record?.resource, record?.host], ['lan', `${FIRST}:${port}`]);
    assert.equal(record?.destination, `${FIRST}:${port}`);
  });

  test('what no network lists is not found, and what has no one reading is refused', async () => {
    const olga = await clientOf('olga', ['operators']);
    for (const destination of [
      `${UNLISTED}:${port}`,
      `169.254.169.254:${port}`,
      `[::ffff:127.0.0.2]:${port}`,
      `db1.lan:${port === 1 ? 2 : 1}`,
      `db1.example:${port}`,
      // In a scope that does not go that far; the whole network was refused.
      `wide.example:${port}`,
    ])
      assert.equal((await refusal(olga, destination)).code, 'not_found', destination);
    for (const destination of [
      `2130706434:${port}`,
      `0x7f.2:${port}`,
      `127.2:${port}`,
      `0177.0.0.2:${port}`,
      'db1.lan',
      `db1..lan:${port}`,
    ])
      assert.equal((await refusal(olga, destination)).refusal, 'not_allowed', destination);
    await assert.rejects(olga.open({ resource: 'lan' }, NEVER), { code: 'not_found' });
  });

  test('a network within the scope of the token is served once a rule names it', async () => {
    dns.set('only.lab', [FIRST]);
    const olga = await clientOf('olga', ['operators']);
    assert.equal((await refusal(olga, `only.lab:${port}`)).refusal, 'denied');
    await whole.setRules(rules('resource:lab'), root);
    assert.equal(await exchange(olga, `only.lab:${port}`), `${FIRST} hello`);
    const alice = await clientOf('alice', ['engineering']);
    assert.equal((await refusal(alice, `only.lab:${port}`)).refusal, 'denied');
  });

  test('a changed rule and a sign-out each cut what is open', async () => {
    const stays = await open(await clientOf('olga', ['operators']));
    const cut = await open(await clientOf('alice', ['engineering']));
    const live = await whole.ask('/api/v1/accesses', { headers: { cookie: root } });
    const destinations = (JSON.parse(live.body) as AccessList).accesses.map((each) => each.destination);
    assert.deepEqual(destinations, [`${FIRST}:${port}`, `${FIRST}:${port}`]);
    const [, ...others] = rules();
    await whole.setRules(others, root);
    await closed(cut);
    const [record] = await eventually(async () => {
      const found = await entries(`who:alice@example.com host:db1.lan:${port} end:terminated`);
      return found.length > 0 ? found : undefined;
    });
    assert.equal(record?.destination, `${FIRST}:${port}`);
    assert.equal(stays.destroyed, false);
    await whole.setRules(rules(), root);

    const cookie = await whole.signIn('dave', ['operators']);
    const token = new Secret(await whole.issueToken(cookie));
    const byDave = await open(
      undo.use(
        new ClientTunnel({
          credential: () => ({ relay: whole.origin, token, expiresAt: Number.MAX_VALUE, person: '' }),
        }),
      ),
    );
    await whole.ask('/api/v1/sign-out', { method: 'POST', headers: { cookie, ...ourPage(whole.origin) }, body: '{}' });
    await closed(byDave);
  });

  async function open(client: ClientTunnel): Promise<Duplex> {
    const stream = await client.open({ destination: `db1.lan:${port}` }, NEVER);
    stream.on('error', () => {});
    stream.resume();
    return stream;
  }
});

async function refusal(client: ClientTunnel, destination: string): Promise<StreamRefusedError> {
  const error: unknown = await client.open({ destination }, NEVER).then(
    (stream) => stream.destroy() && 'it was opened',
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StreamRefusedError, String(error));
  return error;
}

async function closed(stream: Duplex): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}

interface Target extends AsyncDisposable {
  readonly port: number;
  /** Connections with a byte. */
  readonly connections: number;
  /** Asked at the first byte of a connection; what it finds is waited for. */
  atFirstByte: () => Promise<unknown>;
  readonly found: Promise<unknown>;
}

/** Says its address and what it got. */
async function startTarget(address: string, port: number): Promise<Target> {
  const sockets = new Set<Socket>();
  const target = { port, connections: 0, atFirstByte: async () => {}, found: Promise.resolve() } as {
    -readonly [K in keyof Target]: Target[K];
  };
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const got: Buffer[] = [];
    socket.once('data', () => {
      target.connections += 1;
      target.found = target.atFirstByte();
    });
    socket.on('data', (chunk: Buffer) => got.push(chunk));
    socket.on('end', () => {
      void target.found.finally(() => socket.end(`${address} ${Buffer.concat(got).toString()}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  const listening = server.address();
  target.port = typeof listening === 'object' && listening ? listening.port : 0;
  target[Symbol.asyncDispose] = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return target as Target;
}
