import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { ClientTunnel } from '../../src/client/tunnel/client-tunnel.ts';
import { StreamRefusedError } from '../../src/client/tunnel/refusal.ts';
import { sha256Hex } from '../../src/lib/bytes.ts';
import { type ErrorCode, hasCode } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';
import { aborted } from '../../src/lib/wait.ts';
import { ourPage, startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { eventually } from '../eventually.ts';

const RULES = [
  {
    id: 'engineering-uses-the-database',
    effect: 'allow',
    who: ['provider:engineering'],
    what: ['resource:db', 'resource:spare'],
    message: 'The database is for engineering.',
  },
  { id: 'everybody-uses-the-wiki', effect: 'allow', who: ['anyone-signed-in'], what: ['resource:wiki'] },
];
const NEVER = new AbortController().signal;

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly person: { readonly email: string | null } | null;
  readonly effect: string | null;
  readonly end: string | null;
  readonly resource: string | null;
  readonly method: string | null;
}

describe('a TCP connection through command line, relay and agent', () => {
  let whole: WholeRelay;
  let target: Target;
  let audrey: string;
  let root: string;
  const undo = new AsyncDisposableStack();
  before(async () => {
    whole = undo.use(
      await startWholeRelay({
        agents: ['second'],
        resources: {
          db: { protocol: 'tcp', agent: 'office' },
          spare: { protocol: 'tcp', agents: ['office', 'second'] },
        },
        rules: RULES,
        drain: '10s',
      }),
    );
    target = undo.use(await startTarget());
    audrey = await whole.signIn('audrey', ['audit']);
    root = await whole.signIn('root', ['admins', 'security']);
    const nobody = `127.0.0.1:${await closedPort()}`;
    await whole.startAgent({ db: target.address, spare: nobody, wiki: `http://${target.address}` }, root);
    await whole.startAgent({ spare: target.address }, root, 'second');
  });
  after(() => undo.disposeAsync());

  const clientOf = async (cookie: string): Promise<ClientTunnel> => clientWith(await whole.issueToken(cookie));
  const clientWith = (token: string): ClientTunnel =>
    undo.use(
      new ClientTunnel({
        credential: () => ({ relay: whole.origin, token: new Secret(token), expiresAt: Number.MAX_VALUE, person: '' }),
      }),
    );
  const accesses = async (query: string): Promise<Row[]> => {
    const { body } = await whole.ask(`/api/v1/audit?query=${encodeURIComponent(query)}`, {
      headers: { cookie: audrey },
    });
    return (JSON.parse(body) as { rows: Row[] }).rows;
  };

  test('bytes arrive whole both ways, each direction ends by itself, and the record was there before the target', async () => {
    const client = await clientOf(await whole.signIn('alice', ['engineering']));
    target.onConnection = async () => {
      const [row] = await accesses('who:alice@example.com resource:db');
      return row;
    };
    const stream = await client.open({ resource: 'db' }, NEVER);
    assert.equal(await whole.metric('postern_client_tunnels'), 1);
    const sent = randomBytes(3_000_000);
    stream.end(sent);
    const got = await buffer(stream);
    // The target answers with what it got only when our direction has ended.
    assert.equal(sha256Hex(got), sha256Hex(sent));
    const seen = (await target.recorded()) as Row | undefined;
    target.onConnection = () => Promise.resolve(undefined);
    assert.equal(seen?.person?.email, 'alice@example.com');
    assert.equal(seen?.effect, 'allow');
    assert.equal(seen?.method, 'CONNECT');
    assert.equal(seen?.end, null, 'recorded while it was open');
    const row = await eventually(async () => {
      const [newest] = await accesses('who:alice@example.com resource:db');
      return newest?.end === null ? undefined : newest;
    });
    assert.equal(row.end, 'completed');
    client[Symbol.dispose]();
    await eventually(async () => (await whole.metric('postern_client_tunnels')) === 0 || undefined);
  });

  test('whom no rule lets in is told so by the sentence of the rule; it is recorded, and the target sees nothing', async () => {
    const client = await clientOf(await whole.signIn('bob', ['sales']));
    const connections = target.connections;
    const error = await refused(client.open({ resource: 'db' }, NEVER), 'forbidden');
    assert.match(error.message, /The database is for engineering\./);
    const reference = /reference ([0-9a-f-]{36})/.exec(error.message)?.[1];
    const [row] = await accesses('who:bob@example.com');
    assert.equal(row?.id, reference);
    assert.equal(row?.effect, 'deny');
    assert.equal(target.connections, connections);
  });

  test('a web app is no target of connections: its requests are decided one by one', async () => {
    const client = await clientOf(await whole.signIn('alice', ['engineering']));
    const connections = target.connections;
    await refused(client.open({ resource: 'wiki' }, NEVER), 'not_found');
    await refused(client.open({ resource: 'no-such-thing' }, NEVER), 'not_found');
    assert.equal(target.connections, connections);
  });

  test('a token of an app, no token, and a browser open no tunnel', async () => {
    const cookie = await whole.signIn('alice', ['engineering']);
    for (const token of [await whole.tokenFor('wiki', cookie), 'pst_nonsense', 'nonsense'])
      await refused(clientWith(token).open({ resource: 'db' }, NEVER), 'unauthenticated');
    const upgrade = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-protocol': 'postern.client.v1',
      authorization: `Bearer ${await whole.issueToken(cookie)}`,
    };
    for (const more of [{ origin: whole.origin }, { cookie }])
      assert.equal((await whole.ask('/tunnel', { headers: { ...upgrade, ...more } })).status, 403);
  });

  test('where one agent does not reach its target, another one does: no error for the person', async () => {
    const client = await clientOf(await whole.signIn('alice', ['engineering']));
    for (let n = 0; n < 4; n += 1) {
      const stream = await client.open({ resource: 'spare' }, NEVER);
      stream.end('hello');
      assert.equal((await buffer(stream)).toString(), 'hello');
    }
  });

  test('signing out, a change of the rules and a cut by an admin each close what is open, and nobody else', async () => {
    const alice = await whole.signIn('alice', ['engineering']);
    const carol = await whole.signIn('carol', ['engineering']);
    const byAlice = await open(await clientOf(alice));
    const byCarol = await open(await clientOf(carol));
    const headers = { cookie: alice, ...ourPage(whole.origin) };
    await whole.ask('/api/v1/sign-out', { method: 'POST', headers, body: '{}' });
    await closed(byAlice);
    assert.equal(byCarol.destroyed, false);
    assert.equal(await endOf('alice'), 'terminated');

    await whole.setRules([RULES[1] ?? {}], root);
    await closed(byCarol);
    assert.equal(await endOf('carol'), 'terminated');
    await whole.setRules(RULES, root);

    const dave = await whole.signIn('dave', ['engineering']);
    const byDave = await open(await clientOf(dave));
    const [row] = await accesses('who:dave@example.com resource:db');
    const cut = { cookie: root, ...ourPage(whole.origin) };
    const answer = await whole.ask(`/api/v1/accesses/${row?.id}/terminate`, {
      method: 'POST',
      headers: cut,
      body: JSON.stringify({ reason: 'a test' }),
    });
    assert.ok(answer.status < 300, answer.body);
    await closed(byDave);
  });

  test('a thousand connections at once: each exact, or an error where it was cut, never mixed', async () => {
    const client = await clientOf(await whole.signIn('erin', ['engineering']));
    const results = await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => {
        const stream = await client.open({ resource: 'db' }, NEVER);
        const sent = randomBytes(2_000 + n * 40);
        const cut = n % 10 === 3;
        if (cut) {
          stream.write(sent);
          stream.on('error', () => {}).destroy();
          return 'cut';
        }
        stream.end(sent);
        return (await buffer(stream)).equals(sent) ? 'exact' : 'mixed';
      }),
    );
    assert.equal(results.filter((each) => each === 'exact').length, 900);
    assert.equal(results.filter((each) => each === 'mixed').length, 0);
  });

  test('a relay that stops lets what is open end by itself, and takes nothing new', async () => {
    const client = await clientOf(await whole.signIn('frank', ['engineering']));
    const stream = await client.open({ resource: 'db' }, NEVER);
    stream.write('still ');
    const stopped = whole.relay.close();
    await eventually(() =>
      client.open({ resource: 'db' }, NEVER).then(
        (late) => void late.on('error', () => {}).destroy(),
        (error: unknown) => hasCode(error, 'relay_unreachable') || undefined,
      ),
    );
    stream.end('there');
    assert.equal((await buffer(stream)).toString(), 'still there');
    await stopped;
  });

  async function open(client: ClientTunnel): Promise<Duplex> {
    const stream = await client.open({ resource: 'db' }, NEVER);
    stream.on('error', () => {});
    stream.resume();
    return stream;
  }

  async function endOf(name: string): Promise<string> {
    return eventually(async () => {
      const rows = await accesses(`who:${name}@example.com resource:db`);
      return rows.find(({ end }) => end === 'terminated')?.end;
    });
  }
});

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<Error> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StreamRefusedError || hasCode(error, code), String(error));
  assert.equal(error.code, code);
  return error;
}

async function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  await aborted(gone.signal);
}

interface Target extends AsyncDisposable {
  readonly address: string;
  readonly connections: number;
  /** Asked when the first byte of a connection has come. */
  onConnection: () => Promise<unknown>;
  /** What the last one found. */
  recorded(): Promise<unknown>;
}

/** Sends back what it got, once the other direction has ended. Counts who sends something: agents try it without a byte. */
async function startTarget(): Promise<Target> {
  const sockets = new Set<Socket>();
  let recorded: Promise<unknown> = Promise.resolve(undefined);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const got: Buffer[] = [];
    socket.once('data', () => {
      target.connections += 1;
      recorded = target.onConnection();
    });
    socket.on('data', (chunk: Buffer) => got.push(chunk));
    socket.on('end', () => {
      recorded.then(
        () => socket.end(Buffer.concat(got)),
        () => socket.destroy(),
      );
    });
  });
  const target = {
    address: '',
    connections: 0,
    onConnection: () => Promise.resolve<unknown>(undefined),
    recorded: () => recorded,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  target.address = `127.0.0.1:${await portOf(server)}`;
  return target;
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
