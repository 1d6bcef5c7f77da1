import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import {
  MAX_ANONYMOUS_PER_RESOURCE,
  MAX_STREAMS_PER_RESOURCE,
  MAX_STREAMS_PER_SESSION,
  MAX_WAITING_PER_RESOURCE,
  STREAM_AGE_MS,
} from '../../src/gateway/limits.ts';
import type { AgentTunnel } from '../../src/gateway/ports.ts';
import { TargetPool } from '../../src/gateway/target/pool.ts';
import type { TargetStream } from '../../src/gateway/target/target-stream.ts';
import { PosternError } from '../../src/lib/errors.ts';

function tunnelOf(id: string): AgentTunnel {
  let names = 0;
  return {
    id,
    agent: 'office',
    closed: false,
    ended: new AbortController().signal,
    nameStream() {
      names += 1;
      return `${id}-${names}`;
    },
    openStream: () => Promise.resolve(streamOf()),
    connectStream: () => Promise.resolve(streamOf()),
    resolve: () => Promise.reject(new Error('not in these tests')),
  };
}

function streamOf(): Duplex {
  return new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
}

async function taken(pool: TargetPool, session: string, tunnel: AgentTunnel): Promise<TargetStream> {
  const stream = await pool.take(session, 'wiki', tunnel);
  assert.ok(stream);
  if (stream.connection === undefined) await stream.open('receipt', new AbortController().signal, false);
  return stream;
}

describe('the places of a resource', () => {
  it('go to the least recently used idle stream first, whoever it belongs to', async () => {
    const pool = new TargetPool(() => 0);
    const tunnel = tunnelOf('t');
    const streams: TargetStream[] = [];
    for (let n = 0; n < MAX_STREAMS_PER_RESOURCE; n += 1) streams.push(await taken(pool, `session-${n % 8}`, tunnel));
    for (const stream of streams) pool.giveBack(stream, true);
    const first = await taken(pool, 'session-0', tunnel);
    assert.notEqual(first, streams[0], 'the warmest of its own is taken');
    const other = await taken(pool, 'newcomer', tunnel);
    assert.equal(other.ordinal, 1);
    assert.ok(!streams[0]?.canCarryMore(0), 'the coldest had to go');
    assert.ok(streams[1]?.canCarryMore(0));
    pool.close();
    assert.equal(await pool.take('session-0', 'wiki', tunnel), undefined);
  });

  it('are half for strangers at most, from however many addresses, and strangers do not wait', async () => {
    const pool = new TargetPool(() => 0);
    const tunnel = tunnelOf('t');
    const strangers: TargetStream[] = [];
    for (let n = 0; n < MAX_ANONYMOUS_PER_RESOURCE; n += 1)
      strangers.push(await taken(pool, `anonymous wiki 192.0.2.${n}`, tunnel));
    assert.equal(await pool.take('anonymous wiki 198.51.100.1', 'wiki', tunnel), undefined);
    for (let n = MAX_ANONYMOUS_PER_RESOURCE; n < MAX_STREAMS_PER_RESOURCE; n += 1)
      await taken(pool, `session-${n}`, tunnel);
    const [stranger] = strangers;
    assert.ok(stranger);
    pool.giveBack(stranger, true);
    await taken(pool, 'one more person', tunnel);
    assert.equal(await pool.take('anonymous wiki 198.51.100.1', 'wiki', tunnel), undefined, 'full: told at once');
    pool.close();
  });

  it('are waited for in order, per session and per resource', async () => {
    const pool = new TargetPool(() => 0);
    const tunnel = tunnelOf('t');
    const busy: TargetStream[] = [];
    for (let n = 0; n < MAX_STREAMS_PER_SESSION; n += 1) busy.push(await taken(pool, 'one', tunnel));
    const order: string[] = [];
    const waiting = ['first', 'second'].map(async (name) => {
      const stream = await pool.take('one', 'wiki', tunnel);
      order.push(`${name} ${stream?.ordinal}`);
    });
    for (const stream of busy.slice(0, 2)) pool.giveBack(stream, stream === busy[0]);
    await Promise.all(waiting);
    assert.deepEqual(order, ['first 2', 'second 1']);
    pool.close();
  });

  it('are waited for by so many; the next is told at once', async () => {
    const pool = new TargetPool(() => 0);
    const tunnel = tunnelOf('t');
    const [first] = await Promise.all(
      Array.from({ length: MAX_STREAMS_PER_SESSION }, () => taken(pool, 'one', tunnel)),
    );
    assert.ok(first);
    const answers: string[] = [];
    const wait = async (who: string) => {
      const stream = await pool.take('one', 'wiki', tunnel);
      answers.push(`${who} ${stream === undefined ? 'nothing' : 'a place'}`);
    };
    const waiting = Array.from({ length: MAX_WAITING_PER_RESOURCE }, (_, n) => wait(`waiter ${n}`));
    await wait('the next');
    assert.deepEqual(answers, ['the next nothing']);
    pool.giveBack(first, true);
    await waiting[0];
    assert.deepEqual(answers, ['the next nothing', 'waiter 0 a place']);
    pool.close();
    await Promise.all(waiting);
    assert.deepEqual(new Set(answers.slice(2).map((answer) => answer.replace(/.* \d+ /, ''))), new Set(['nothing']));
  });

  it('do not cross sessions or tunnels, and old streams take nothing more', async () => {
    let now = 0;
    const pool = new TargetPool(() => now);
    const [left, right] = [tunnelOf('left'), tunnelOf('right')];
    const stream = await taken(pool, 'one', left);
    pool.giveBack(stream, true);
    assert.notEqual(await taken(pool, 'two', left), stream);
    assert.notEqual(await taken(pool, 'one', right), stream);
    assert.equal(await taken(pool, 'one', left), stream);
    pool.giveBack(stream, true);
    now = STREAM_AGE_MS;
    assert.notEqual(await taken(pool, 'one', left), stream);
    pool.close();
  });

  it('end with their authority, the busy ones with their request', async () => {
    const pool = new TargetPool(() => 0);
    const tunnel = tunnelOf('t');
    const [idle, busy] = [await taken(pool, 'one', tunnel), await taken(pool, 'one', tunnel)];
    pool.giveBack(idle, true);
    pool.end(({ session }) => session === 'one');
    assert.ok(!idle.canCarryMore(0));
    pool.giveBack(busy, true);
    assert.equal((await taken(pool, 'one', tunnel)).ordinal, 1);
    pool.close();
  });

  it('say why a stream was refused, also when that came before the request was written', async () => {
    const refused = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const stream = await taken(new TargetPool(() => 0), 'one', {
      ...tunnelOf('t'),
      openStream: () => Promise.resolve(refused),
    });
    refused.destroy(new PosternError('timeout', 'The target did not answer.'));
    assert.equal(stream.connection?.isClosed, true);
    assert.equal(stream.connection.error.code, 'timeout');
  });
});
