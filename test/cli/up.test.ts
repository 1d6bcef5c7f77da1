import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Credential, saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { StandInRelay, signInAt, tcpResource } from '../client/tunnel/stand-in.ts';
import { freePort } from '../e2e/free-port.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

function setUp(t: TestContext, relay: StandInRelay, more: Partial<Credential> = {}) {
  const env = emptyEnvironment(t);
  saveCredential({ ...relay.credential(), ...more }, env);
  return () => up(t, env);
}

function emptyEnvironment(t: TestContext): NodeJS.ProcessEnv {
  const directory = mkdtempSync(join(tmpdir(), 'postern-up-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { DISPLAY: _x, WAYLAND_DISPLAY: _w, ...rest } = process.env;
  return { ...rest, POSTERN_CONFIG_DIR: directory };
}

function up(t: TestContext, env: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, 'up'], { env });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** What the stream says up to the first match. */
async function until(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<RegExpExecArray> {
  let said = '';
  for (;;) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    said += chunk.toString();
    const found = pattern.exec(said);
    if (found) return found;
  }
}

const portOf = async (child: ChildProcessWithoutNullStreams, resource: string): Promise<number> =>
  Number((await until(child.stdout, new RegExp(`^${resource} +127\\.0\\.0\\.1:(\\d+) .*\\n`, 'm')))[1]);

async function ask(port: number, question: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(question);
  return text(socket);
}

describe('postern up', () => {
  test('holds the same port for a resource each time, once per profile', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.resources = [
      tcpResource('db'),
      tcpResource('build01', 'ssh'),
      { ...tcpResource('wiki', 'http'), url: 'http://w/' },
    ];
    const up = setUp(t, relay);
    const first = up();
    const [table] = await until(first.stdout, /^RESOURCE[^]*build01[^]*\n/);
    assert.match(table, /^db +127\.0\.0\.1:\d+ +host 127\.0\.0\.1, port \d+$/m);
    assert.match(
      table,
      /^build01 +127\.0\.0\.1:(\d+) +ssh -p \1 -o HostKeyAlias=postern-postern\.localhost-\d+-build01 127\.0\.0\.1$/m,
    );
    assert.doesNotMatch(table, /wiki/);
    const port = Number(/^db +127\.0\.0\.1:(\d+)/m.exec(table)?.[1]);
    assert.equal(await ask(port, 'hello'), 'hello');

    const second = up();
    assert.match(await text(second.stderr), new RegExp(`held by process ${first.pid} since`));
    first.kill('SIGINT');
    assert.deepEqual(await once(first, 'exit'), [0, null]);
    await assert.rejects(ask(port, 'hello'), { code: 'ECONNREFUSED' });

    const again = up();
    assert.equal(await portOf(again, 'db'), port);
  });

  test('outlives the sign-in: who connects then waits for the next one, and goes on', async (t) => {
    const relay = await StandInRelay.start(t);
    const child = setUp(t, relay)();
    const port = await portOf(child, 'db');
    assert.equal(await ask(port, 'before'), 'before');

    relay.token = 'pst_next';
    relay.tunnels[0]?.close('session_ended', 'Closed: your session has expired.');
    const address = until(child.stderr, /^\s*(http:\S+\/cli\/authorize\S*)$/m);
    const answers = Promise.all([ask(port, 'one'), ask(port, 'two')]);
    await signInAt((await address)[1] ?? '');
    assert.deepEqual(await answers, ['one', 'two']);
    child.kill('SIGINT');
  });

  test('asks nobody to sign in for a program, and says what gives it another token', async (t) => {
    const relay = await StandInRelay.start(t);
    const child = setUp(t, relay, { byTokenFile: true })();
    const port = await portOf(child, 'db');
    relay.token = 'pst_next';
    relay.tunnels[0]?.close('session_ended', 'Closed: your session has expired.');
    const said = until(child.stderr, /^db: .*Run: .*--token-file FILE$/m);
    await assert.rejects(ask(port, 'one'), { code: 'ECONNRESET' });
    assert.doesNotMatch((await said).input, /authorize/);
    child.kill('SIGINT');
  });

  test('waits for a relay that does not answer at its start', async (t) => {
    const port = await freePort();
    const env = emptyEnvironment(t);
    const credential = { token: new Secret('pst_good'), expiresAt: Date.now() + 60_000, person: 'alice' };
    saveCredential({ ...credential, relay: `http://postern.localhost:${port}` }, env);
    const child = up(t, env);
    await until(child.stderr, /cannot be reached\. .* It is tried again until it answers\.\n/);
    await StandInRelay.start(t, port);
    assert.equal(await ask(await portOf(child, 'db'), 'hello'), 'hello');
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  test('that waits for a relay ends well at Ctrl-C', async (t) => {
    const env = emptyEnvironment(t);
    const credential = { token: new Secret('pst_good'), expiresAt: Date.now() + 60_000, person: 'alice' };
    saveCredential({ ...credential, relay: 'http://postern.localhost:9' }, env);
    const child = up(t, env);
    await until(child.stderr, /It is tried again/);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
