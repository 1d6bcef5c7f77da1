import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ClientTunnel } from '../../../src/client/tunnel/client-tunnel.ts';
import { SignInGate } from '../../../src/client/tunnel/sign-in-gate.ts';
import { type HeldPort, keepPorts } from '../../../src/client/up/keep-ports.ts';
import { RememberedPorts } from '../../../src/client/up/remembered-ports.ts';
import { PosternError } from '../../../src/lib/errors.ts';
import { pause } from '../../../src/lib/wait.ts';
import { StandInRelay, tcpResource } from '../tunnel/stand-in.ts';

function environment(t: TestContext): NodeJS.ProcessEnv {
  const directory = mkdtempSync(join(tmpdir(), 'postern-ports-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { POSTERN_CONFIG_DIR: directory };
}

/** Each list of held ports as it is told. */
async function keeping(t: TestContext, relay: StandInRelay, env: NodeJS.ProcessEnv) {
  const stop = new AbortController();
  const lists: (readonly HeldPort[])[] = [];
  const waiting: ((held: readonly HeldPort[]) => void)[] = [];
  let isSignedOut = false;
  const credential = () => {
    if (!isSignedOut) return relay.credential();
    looked();
    throw new PosternError('unauthenticated', 'You are signed out.');
  };
  let looked = () => {};
  /** Resolves when the list was asked for without a sign-in. */
  const signOut = () =>
    new Promise<void>((resolve) => {
      isSignedOut = true;
      looked = resolve;
    });
  const tunnel = new ClientTunnel({ credential });
  const profile = { name: 'test', relay: relay.origin };
  const done = keepPorts({
    person: { profile, tunnel, proxy: undefined, credential },
    gate: new SignInGate(undefined),
    ports: new RememberedPorts('test', env),
    signal: stop.signal,
    lookAgainMs: 20,
    waiting: () => assert.fail('The relay is there.'),
    changed: (held) => {
      const taker = waiting.shift();
      if (taker) taker(held);
      else lists.push(held);
    },
    failed: () => {},
  });
  const end = async () => {
    stop.abort();
    await done;
    tunnel[Symbol.dispose]();
  };
  t.after(end);
  const next = (): Promise<readonly HeldPort[]> => {
    const list = lists.shift();
    return list ? Promise.resolve(list) : new Promise((resolve) => waiting.push(resolve));
  };
  return { next, end, signOut, pending: () => lists.length };
}

const names = (held: readonly HeldPort[]) => held.map(({ resource }) => resource).toSorted();

describe('the ports of postern up', () => {
  test('follow the list: new resources appear, others go, and a relay that is away changes nothing', async (t) => {
    const relay = await StandInRelay.start(t);
    const { next, pending } = await keeping(t, relay, environment(t));
    const [db] = await next();
    assert.equal(db?.resource, 'db');
    relay.resources = [tcpResource('db'), tcpResource('cache')];
    assert.deepEqual(names(await next()), ['cache', 'db']);
    relay.token = 'pst_other';
    while (relay.turnedAway < 2) await pause(10);
    assert.equal(pending(), 0);
    relay.token = 'pst_good';
    relay.resources = [];
    assert.deepEqual(await next(), []);
    relay.resources = [tcpResource('db')];
    const [back] = await next();
    assert.deepEqual([back?.port, back?.instead], [db.port, false]);
  });

  test('stay when the sign-in is forgotten here', async (t) => {
    const relay = await StandInRelay.start(t);
    const { next, end, signOut, pending } = await keeping(t, relay, environment(t));
    const [db] = await next();
    await signOut();
    await signOut();
    // Taken, and cut because nobody can be asked; a port that is gone would refuse.
    await assert.rejects(once(connect(db?.port ?? 0, '127.0.0.1').resume(), 'end'), { code: 'ECONNRESET' });
    assert.equal(pending(), 0);
    await end();
  });

  test('stay remembered while another program has one of them', async (t) => {
    const relay = await StandInRelay.start(t);
    const env = environment(t);
    const first = await keeping(t, relay, env);
    const [held] = await first.next();
    await first.end();
    const other = createServer().listen(held?.port, '127.0.0.1');
    t.after(() => other.close());
    const second = await keeping(t, relay, env);
    const [instead] = await second.next();
    assert.notEqual(instead?.port, held?.port);
    assert.equal(instead?.instead, true);
    await second.end();
    await new Promise((resolve) => other.close(resolve));
    const [again] = await (await keeping(t, relay, env)).next();
    assert.deepEqual([again?.port, again?.instead], [held?.port, false]);
  });

  test('differ for all resources', (t) => {
    const ports = new RememberedPorts('test', environment(t));
    const taken = new Set<number>();
    for (let at = 0; at < 300; at += 1) {
      const [port = 0] = ports.candidates(`r${at}`);
      ports.remember(`r${at}`, port);
      taken.add(port);
    }
    assert.equal(taken.size, 300);
  });

  test('are there also for a name that objects have', (t) => {
    const env = environment(t);
    const [port = 0] = new RememberedPorts('test', env).candidates('constructor');
    assert.equal(typeof port, 'number');
    new RememberedPorts('test', env).remember('constructor', port);
    assert.equal(new RememberedPorts('test', env).has('constructor'), true);
  });
});

describe('the gate before a sign-in', () => {
  const due = () => Promise.reject(new PosternError('unauthenticated', 'Sign in.'));

  test('asks once for all who wait, and lets them on', async () => {
    let signedIn = false;
    let asked = 0;
    const gate = new SignInGate(async () => {
      asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
      signedIn = true;
    });
    const work = () => (signedIn ? Promise.resolve('done') : due());
    assert.deepEqual(await Promise.all([gate.pass(work), gate.pass(work)]), ['done', 'done']);
    assert.equal(asked, 1);
    assert.equal(await gate.pass(work), 'done');
    await assert.rejects(
      gate.pass(() => Promise.reject(new PosternError('forbidden', 'No.'))),
      { code: 'forbidden' },
    );
    assert.equal(asked, 1);
  });

  test('does not ask again at once when nobody signed in', async () => {
    let asked = 0;
    const refuse = async () => {
      asked += 1;
      await Promise.resolve();
      throw new PosternError('timeout', 'Nobody signed in.');
    };
    const gate = new SignInGate(refuse);
    await assert.rejects(gate.pass(due), { code: 'timeout' });
    await assert.rejects(gate.pass(due), { code: 'unauthenticated' });
    assert.equal(asked, 1);
    const patient = new SignInGate(refuse, 0);
    await assert.rejects(patient.pass(due), { code: 'timeout' });
    await assert.rejects(patient.pass(due), { code: 'timeout' });
    assert.equal(asked, 3);
  });
});
