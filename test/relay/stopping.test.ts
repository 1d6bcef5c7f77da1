import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { WebSocket } from 'ws';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { createLog } from '../../src/lib/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { freePort } from '../e2e/free-port.ts';
import { type RecordingTarget, startRecordingTarget } from '../e2e/recording-target.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { Browser } from '../identity/browser.ts';
import { visitAs } from '../identity/demo-provider.ts';

/** A relay as a child process, a person signed in at the wiki, and what they hold open. */
describe('SIGTERM', () => {
  const held = new AsyncDisposableStack();
  let world: World;
  let target: RecordingTarget;
  let metrics: string;
  const alice = new Browser();

  before(async () => {
    target = held.use(await startRecordingTarget());
    const port = await freePort();
    metrics = `http://127.0.0.1:${port}`;
    world = held.use(
      await startWorld({
        database: 'embedded',
        resources: { wiki: target.url },
        relay: { drain: '700ms', metrics: `127.0.0.1:${port}` },
      }),
    );
    const page = await visitAs(alice, 'alice', `${world.origin('wiki')}/`);
    assert.equal(page.status, 200);
  });
  after(() => held.disposeAsync());

  function download(path: string): Promise<IncomingMessage> {
    const url = new URL(path, world.origin('wiki'));
    return new Promise((resolve, reject) => {
      get(url, { headers: { cookie: alice.cookieHeader(url) }, lookup: lookupWithLocalhost }, resolve).on(
        'error',
        reject,
      );
    });
  }

  test('health and numbers before, on a port of their own', async () => {
    for (const path of ['/health/startup', '/health/live', '/health/ready'])
      assert.equal((await fetch(metrics + path)).status, 200, path);
    const denied = await fetch(`${metrics}/metrics`, { method: 'POST' });
    assert.equal(denied.status, 405);
    const text = await (await fetch(`${metrics}/metrics`)).text();
    assert.match(
      text,
      /^postern_accesses_total\{resource="wiki",decision="allow",end="completed",status="2xx"\} [1-9]/m,
    );
    assert.match(text, /^postern_tunnels\{agent="office"\} 1$/m);
    assert.match(text, /^postern_audit_append_seconds_count [1-9]/m);
    assert.match(text, /^postern_http_responses_total\{part="control",status="3xx"\} [1-9]/m);
    assert.match(text, /^nodejs_eventloop_lag_seconds /m);
    assert.match(text, /^process_resident_memory_bytes \d/m);
    const own = await download('/metrics');
    assert.equal(own.resume().statusCode, 200);
    await once(own, 'end');
    assert.equal(target.seen.at(-1)?.target, '/metrics', 'on a resource it is the resource’s own path');
  });

  test('takes nothing new, lets what is open go on, then closes it with a reason and ends with 0', async () => {
    const stream = await download('/stream');
    await once(stream, 'data');
    const url = new URL('/socket', world.origin('wiki'));
    const socket = new WebSocket(url.href.replace('http', 'ws'), {
      headers: { cookie: alice.cookieHeader(url), origin: url.origin },
      lookup: lookupWithLocalhost,
    });
    await once(socket, 'message');
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const broken = new Promise<string>((resolve) => {
      stream.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
      stream.on('end', () => resolve('a clean end'));
      stream.resume();
    });

    const relay = world.relayProgram();
    relay.kill('SIGTERM');
    await relay.saw('it waits', ({ message }) => message === 'waiting for what is open', 5_000);
    const late = connect(world.port, '127.0.0.1');
    const [refused] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(refused.code, 'ECONNREFUSED', 'no new connection');
    const ready = await fetch(`${metrics}/health/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), { ok: false, reason: 'stopping' });
    socket.send('still there?');
    await once(socket, 'message');

    const [code, reason] = await closed;
    assert.equal(reason.toString(), 'the relay is stopping');
    assert.equal(code, 1001);
    assert.equal(await broken, 'ECONNRESET', 'a cut download is never a clean end');
    assert.equal(await relay.ended, 'exit code 0');
  });

  test('no record is missing', async () => {
    await using store: Store = await openStore({
      dataDir: join(world.directory, 'relay'),
      log: createLog('silent'),
    });
    const events = await eventsOf(store.pool);
    const intents = events.filter(({ kind, effect }) => kind === 'access.intent' && effect === 'allow');
    const outcomes = new Map(events.filter(({ kind }) => kind === 'access.outcome').map((each) => [each.intent, each]));
    assert.ok(intents.length >= 4);
    for (const { id, access } of intents) assert.ok(outcomes.has(id), `${access} ${id} has no outcome`);
    const cut = [...outcomes.values()].filter(({ end }) => end === 'terminated');
    assert.deepEqual(
      cut.map(({ reason }) => reason),
      ['relay_stopping', 'relay_stopping'],
    );
    assert.ok(events.some(({ kind }) => kind === 'agent.disconnected'));
  });
});

interface Event {
  readonly id: string;
  readonly kind: string;
  readonly effect?: string;
  readonly access?: string;
  readonly intent?: string;
  readonly end?: string;
  readonly reason?: string;
}

async function eventsOf(pool: pg.Pool): Promise<Event[]> {
  const { rows } = await pool.query<{ leaf: string }>('SELECT leaf FROM audit_record ORDER BY index');
  return rows.map(({ leaf }) => JSON.parse(leaf) as Event);
}
