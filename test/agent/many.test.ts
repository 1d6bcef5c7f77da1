import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closing, collect } from '../tunnel/pair.ts';
import { EchoTarget, Office, receiptFor, tunnelTo } from './office.ts';
import { SmallRelay } from './small-relay.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const never = new AbortController().signal;
const STREAMS = 1000;

test('1,000 streams at once, cut at random: each is exact, or an error after an exact beginning', async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const office = new Office(t, relay, { wiki: target.port });
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'wiki');
  let whole = 0;
  let cut = 0;
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, index) => {
      const receipt = await receiptFor(relay, tunnel, 'wiki');
      const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
      const sent = randomBytes(index % 3 === 0 ? randomInt(80_000, 240_000) : randomInt(1, 40_000));
      const cutAt = index % 3 === 0 ? randomInt(0, sent.length) : undefined;
      const got: Buffer[] = [];
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        got.push(chunk);
        bytes += chunk.length;
        if (cutAt === undefined || bytes < cutAt) return;
        // Either end may be the one that breaks off.
        if (index % 2 === 0) stream.destroy();
        // Node cannot reset a socket that is ending: its handle would keep this process from exiting.
        else [...target.sockets].find((socket) => !socket.writableEnded)?.resetAndDestroy();
      });
      for (let at = 0; at < sent.length && !stream.destroyed; ) {
        const size = randomInt(1, 20_000);
        if (!stream.write(sent.subarray(at, at + size))) await Promise.race([once(stream, 'drain'), closing(stream)]);
        at += size;
      }
      stream.end();
      const error = await closing(stream);
      const received = Buffer.concat(got);
      assert.ok(received.equals(sent.subarray(0, received.length)), 'mixed bytes');
      if (received.length === sent.length) whole += 1;
      else {
        cut += 1;
        assert.ok(error ?? index % 6 === 0, 'cut short without an error');
      }
    }),
  );
  t.diagnostic(`${whole} whole, ${cut} cut`);
  assert.ok(whole > STREAMS / 3 && cut > 0);
  assert.equal(tunnel.closed, false);
});

const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

test('an agent with 1,000 open streams stays light', { skip: process.platform !== 'linux' }, async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const directory = mkdtempSync(join(tmpdir(), 'postern-light-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'token'), 'light');
  relay.tokens.set('light', 'office');
  const options = ['--relay', relay.origin, '--name', 'office', '--enroll-token-file', join(directory, 'token')];
  const agent = spawn(
    process.execPath,
    [MAIN, 'agent', ...options, '--state-dir', join(directory, 'state'), '--tcp', `wiki=127.0.0.1:${target.port}`],
    { stdio: 'ignore' },
  );
  t.after(() => agent.kill());
  const tunnel = await tunnelTo(relay, 'wiki');
  const { pid = 0 } = agent;
  const idle = memoryOf(pid);
  const streams: Duplex[] = [];
  for (let n = 0; n < STREAMS; n += 1) {
    const receipt = await receiptFor(relay, tunnel, 'wiki');
    const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
    streams.push(stream);
    stream.write('hello');
    await once(stream, 'data');
  }
  const open = memoryOf(pid);
  // Each has carried something, all of them at the same time.
  const sent = randomBytes(64 * 1024);
  await Promise.all(
    streams.map(async (stream) => {
      const answer = collect(stream);
      stream.write(sent);
      stream.end();
      assert.ok((await answer).equals(sent));
    }),
  );
  const used = memoryOf(pid);
  t.diagnostic(
    `idle ${idle.toFixed(0)} MB; 1,000 open +${(open - idle).toFixed(0)}; all busy +${(used - idle).toFixed(0)}`,
  );
  assert.ok(open - idle < 80, `${open - idle} MB for 1,000 streams`);
});

test('500 agents that lose their relay are all back after its restart', async (t) => {
  const relay = await SmallRelay.start(t);
  const names = Array.from({ length: 500 }, (_, n) => `agent-${n}`);
  for (const name of names) {
    const office = new Office(t, relay, {}, { name, targets: {} });
    office.giveToken(relay, `token-${name}`);
    office.start();
  }
  await relay.until(() => relay.tunnels.list().length === names.length, 60_000);
  const { port, key, agentKeys } = relay;
  await relay.stop();
  const again = await SmallRelay.start(t, { port, key, agentKeys });
  const startedAt = performance.now();
  await again.until(() => again.tunnels.list().length === names.length, 30_000);
  t.diagnostic(`all back after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
});
