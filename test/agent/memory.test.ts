import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EchoTarget, receiptFor, tunnelTo } from './office.ts';
import { SmallRelay } from './small-relay.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const STREAMS = 1000;
/** Three times what was seen. A read buffer kept for each stream would be more. */
const MAX_BYTES_PER_STREAM = 64 * 1024;
const never = new AbortController().signal;

test(`${STREAMS} open streams cost an agent little memory`, { skip: process.platform !== 'linux' }, async (t) => {
  const relay = await SmallRelay.start(t);
  const target = await new EchoTarget().start(t);
  const directory = mkdtempSync(join(tmpdir(), 'postern-memory-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  relay.tokens.set('a-token', 'office');
  writeFileSync(join(directory, 'token'), 'a-token\n');
  const options = ['--enroll-token-file', join(directory, 'token'), '--state-dir', join(directory, 'state')];
  const agent = spawn(
    process.execPath,
    [MAIN, 'agent', '--relay', relay.origin, '--name', 'office', ...options, '--tcp', `wiki=127.0.0.1:${target.port}`],
    { stdio: 'ignore' },
  );
  t.after(async () => {
    const ended = once(agent, 'exit');
    agent.kill();
    await ended;
  });
  const residentBytes = () =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'latin1'))?.[1]) * 1024;

  const tunnel = await tunnelTo(relay, 'wiki');
  const openOne = async (): Promise<Duplex> => {
    const receipt = await receiptFor(relay, tunnel, 'wiki');
    const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal: never });
    stream.write('hello');
    await once(stream, 'data');
    return stream;
  };
  await openOne();
  const before = residentBytes();
  for (let open = 1; open < STREAMS; open += 1) await openOne();
  const after = residentBytes();
  t.diagnostic(
    `resident: ${Math.round(before / 1e6)} MB with one stream, ${Math.round(after / 1e6)} MB with ${STREAMS}`,
  );
  assert.ok(after - before < STREAMS * MAX_BYTES_PER_STREAM, `grew by ${after - before} bytes`);
});
