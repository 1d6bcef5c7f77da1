import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EchoTarget, receiptFor, tunnelTo } from '../agent/office.ts';
import { resourceOf, SmallRelay } from '../agent/small-relay.ts';
import { createNamespace } from './netns.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const HEARTBEAT_MS = 500;
const skip = process.getuid?.() === 0 ? false : 'only root makes network namespaces';

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });

test('an agent in a network of its own comes back after its cable was cut, and after its address changed', {
  skip,
}, async (t) => {
  await using namespace = await createNamespace();
  const relay = await SmallRelay.start(t, { heartbeatMs: HEARTBEAT_MS });
  await namespace.leadOut(relay.port);
  const directory = mkdtempSync(join(tmpdir(), 'postern-cable-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'token'), 'a-token');
  relay.tokens.set('a-token', 'office');
  const [command = '', ...prefix] = namespace.prefix;
  const said: { msg: string; at: number }[] = [];
  // What it serves is outside, reached as everything else here: by dialling out.
  const target = await new EchoTarget().start(t);
  await namespace.leadOut(target.port);
  const options = ['--relay', relay.origin, '--name', 'office', '--enroll-token-file', join(directory, 'token')];
  const agent = spawn(command, [
    ...prefix,
    process.execPath,
    ...[MAIN, 'agent', ...options, '--state-dir', join(directory, 'state'), '--heartbeat', `${HEARTBEAT_MS}ms`],
    ...['--tcp', `wiki=127.0.0.1:${target.port}`],
  ]);
  t.after(() => agent.kill());
  agent.stderr.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      said.push({ msg: (JSON.parse(line) as { msg: string }).msg, at: performance.now() });
  });
  const lost = () => said.filter(({ msg }) => msg.includes('heartbeat_missed'));
  const echoes = async (text: string) => {
    const tunnel = relay.tunnels.directory.pick(resourceOf('wiki', ['office']));
    assert.ok(tunnel);
    const receipt = await receiptFor(relay, tunnel, 'wiki');
    const signal = AbortSignal.timeout(20_000);
    const stream = await tunnel.openStream({ resource: 'wiki', receipt, signal });
    stream.write(text);
    const [answer] = (await once(stream, 'data')) as [Buffer];
    assert.equal(answer.toString(), text);
    stream.destroy();
  };
  // Alone: while the old tunnel is not yet given up, a stream might go into it.
  const back = () =>
    relay.until(() => {
      const tunnels = relay.tunnels.list();
      return tunnels.length === 1 && tunnels[0]?.resources.includes('wiki') === true;
    });

  await tunnelTo(relay, 'wiki');
  await echoes('before');

  const [, link = ''] = /^\d+: (\S+)/.exec(ip('-o', 'addr', 'show', 'to', namespace.outside)) ?? [];
  ip('link', 'set', link, 'down');
  const cutAt = performance.now();
  await relay.until(() => lost().length === 1);
  t.diagnostic(`the cut was seen after ${Math.round((lost()[0]?.at ?? 0) - cutAt)} ms, heartbeat ${HEARTBEAT_MS} ms`);
  await relay.until(() => relay.tunnels.list().length === 0);
  ip('link', 'set', link, 'up');
  await back();
  await echoes('after the cut');

  const moved = namespace.inside.replace(/\.\d+$/, '.6');
  ip('route', 'add', `${moved}/32`, 'dev', link);
  const inside = (...args: string[]) => ip('-n', namespace.name, ...args);
  inside('addr', 'del', `${namespace.inside}/30`, 'dev', 'uplink');
  inside('addr', 'add', `${moved}/32`, 'dev', 'uplink');
  inside('route', 'add', `${namespace.outside}/32`, 'dev', 'uplink', 'src', moved);
  await relay.until(() => lost().length === 2 || relay.tunnels.list().length === 0);
  await relay.until(() => said.filter(({ msg }) => msg === 'connected').length === 3);
  await back();
  await echoes('from another address');
});
