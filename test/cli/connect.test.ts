import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saveCredential } from '../../src/client/credentials.ts';
import { missing } from '../apps/missing.ts';
import { StandInRelay, signInAt } from '../client/tunnel/stand-in.ts';

const skip = missing(['/usr/bin/script'], 'bsdutils');
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

function setUp(t: TestContext, relay: StandInRelay) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-connect-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory };
  saveCredential(relay.credential(), env);
  const postern = (
    ...args: string[]
  ): ChildProcess & { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } => {
    const child = spawn(process.execPath, [MAIN, ...args], { env });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  return { directory, env, postern };
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return chunk.toString().split('\n')[0] ?? '';
}

const ended = async (child: ChildProcess): Promise<number | null> =>
  ((await once(child, 'exit')) as [number | null])[0];

async function ask(at: number | string, question: string): Promise<string> {
  const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
  socket.end(question);
  return all(socket);
}

/** As `text`, which would end the other half, too. */
function all(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks).toString())).on('error', reject);
  });
}

/** Answers only when the question has ended: both halves must arrive. */
const countBytes = (stream: Duplex): void => {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  stream.on('end', () => stream.end(`${bytes} bytes`));
};

describe('postern connect', () => {
  test('-L 0 prints a port of this machine alone; each connection is a stream, and the end of one half arrives', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = countBytes;
    const child = setUp(t, relay).postern('connect', 'db', '-L', '0');
    const port = Number(await firstLine(child.stdout));
    assert.deepEqual(await Promise.all([ask(port, 'x'.repeat(500_000)), ask(port, 'y')]), ['500000 bytes', '1 bytes']);
    assert.deepEqual(relay.headers[0], { version: 1, kind: 'resource', resource: 'db' });
    child.kill('SIGINT');
    assert.equal(await ended(child), 0);
  });

  test('a denied connection is reset, and the reason is on standard error', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.answer = () => ({ ok: false, code: 'denied', message: 'This is for employees.', reference: 'r1' });
    const child = setUp(t, relay).postern('connect', 'db', '-L', '0');
    const port = Number(await firstLine(child.stdout));
    const said = once(child.stderr, 'data');
    await assert.rejects(ask(port, 'hello'), { code: 'ECONNRESET' });
    await said;
    child.kill('SIGINT');
  });

  test('-L unix: makes a socket for this user, replaces a dead one, and nothing else', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = countBytes;
    const { directory, postern } = setUp(t, relay);
    const path = join(directory, 'db.sock');
    const killed = postern('connect', 'db', '-L', `unix:${path}`);
    assert.equal(await firstLine(killed.stdout), path);
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    const second = postern('connect', 'db', '-L', `unix:${path}`);
    assert.match(await all(second.stderr), /Another program listens/);
    killed.kill('SIGKILL');
    await ended(killed);

    const child = postern('connect', 'db', '-L', `unix:${path}`);
    assert.equal(await firstLine(child.stdout), path);
    assert.equal(await ask(path, 'hello'), '5 bytes');
    child.kill('SIGTERM');
    assert.equal(await ended(child), 0);
    assert.throws(() => lstatSync(path), { code: 'ENOENT' });

    writeFileSync(path, 'mine');
    const refused = postern('connect', 'db', '-L', `unix:${path}`);
    assert.match(await all(refused.stderr), /is not a socket/);
  });

  test('-L - leads standard input and output, each to its own end', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = countBytes;
    const { postern } = setUp(t, relay);
    const child = postern('connect', 'db', '-L', '-');
    child.stdin.end('x'.repeat(1_000_000));
    assert.equal(await all(child.stdout), '1000000 bytes');
    assert.equal(await ended(child), 0);

    // The other way round: the target ends first, and what comes afterwards still arrives.
    const arrived = Promise.withResolvers<string>();
    relay.serve = (stream) => {
      stream.end('that is all');
      all(stream).then(arrived.resolve, arrived.reject);
    };
    const other = postern('connect', 'db', '-L', '-');
    assert.equal(await all(other.stdout), 'that is all');
    other.stdin.end('thanks');
    assert.equal(await arrived.promise, 'thanks');
    assert.equal(await ended(other), 0);
  });

  test('-L - says why it was denied (5), wants a sign-in (4), or does not reach the target (6)', async (t) => {
    const relay = await StandInRelay.start(t);
    const { postern } = setUp(t, relay);
    for (const [code, exit] of [
      ['denied', 5],
      ['unauthenticated', 4],
      ['dial_refused', 6],
    ] as const) {
      relay.answer = () => ({ ok: false, code, message: 'A sentence.', reference: 'r1' });
      const child = postern('connect', 'db', '-L', '-');
      const [said, exited] = await Promise.all([all(child.stderr), ended(child)]);
      assert.equal(said, 'A sentence. (reference r1)\n');
      assert.equal(exited, exit);
    }
  });

  test('-L - in a terminal opens the sign-in where one is due, as below ssh, and goes on', { skip }, async (t) => {
    const relay = await StandInRelay.start(t);
    const { directory, env } = setUp(t, relay);
    relay.token = 'pst_next';
    const out = join(directory, 'out');
    const words = `printf hello | '${process.execPath}' '${MAIN}' connect db -L - > '${out}'`;
    const child = spawn('script', ['-qec', words, '/dev/null'], { env: { ...env, DISPLAY: '', WAYLAND_DISPLAY: '' } });
    t.after(() => child.kill('SIGKILL'));
    let shown = '';
    let address: string | undefined;
    while (address === undefined) {
      shown += String(await once(child.stdout, 'data'));
      address = /(http:\S+\/cli\/authorize\S*)\s/.exec(shown)?.[1];
    }
    await signInAt(address);
    assert.equal(await ended(child), 0);
    assert.equal(readFileSync(out, 'utf8'), 'hello');
  });

  test('a connection that broke ends with an error, not with an end', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = (stream) => {
      stream.write('some');
      stream.once('data', () => stream.destroy());
    };
    const { postern } = setUp(t, relay);
    const child = postern('connect', 'db', '-L', '-');
    await once(child.stdout, 'data');
    child.stdin.write('break');
    assert.equal(await ended(child), 6);

    const listening = postern('connect', 'db', '-L', '0');
    const socket = connect(Number(await firstLine(listening.stdout)), '127.0.0.1');
    await once(socket, 'data');
    socket.write('break');
    await assert.rejects(once(socket, 'end'), { code: 'ECONNRESET' });
  });

  test('--exec gets the port and gives its exit code; a web app is served as one', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = (stream) => stream.end('hello\n');
    const { postern } = setUp(t, relay);
    const child = postern('connect', 'db', '--exec', `bash -c 'cat < /dev/tcp/127.0.0.1/{port}'; exit 7`);
    const [printed, code] = await Promise.all([all(child.stdout), ended(child)]);
    assert.deepEqual([printed, code], ['hello\n', 7]);

    relay.resources = [{ name: 'wiki', title: 'Wiki', description: null, url: 'http://wiki.example/', tags: [] }];
    const web = postern('connect', 'wiki', '-L', '0');
    assert.match(await firstLine(web.stderr), /^http:\/\/127\.0\.0\.1:\d+ leads to wiki/);
    web.kill('SIGINT');
    assert.equal(await ended(web), 0);
  });

  test('what is no place to listen, and no name, is said before anything is dialled', async (t) => {
    const relay = await StandInRelay.start(t);
    const { postern } = setUp(t, relay);
    for (const args of [
      ['db', '-L', '70000'],
      ['db', '-L', 'host.example:1'],
      ['db', '-L', 'unix:'],
      ["db';id;'"],
      ['-x'],
    ]) {
      const child = postern('connect', ...args);
      assert.notEqual(await ended(child), 0);
    }
    assert.equal(relay.tunnels.length, 0);
  });

  test('says why the relay cut a connection, also where it does so after the cut', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = (stream) =>
      void stream.once('data', () => {
        stream.destroy();
        setImmediate(() => relay.tunnels[0]?.close('session_ended', 'Closed: your session was ended.'));
      });
    const { postern } = setUp(t, relay);
    const child = postern('connect', 'db', '-L', '-');
    child.stdin.write('select');
    const [said, code] = await Promise.all([all(child.stderr), ended(child)]);
    assert.equal(said, 'The connection broke off: your session was ended.\n');
    assert.equal(code, 4);
  });

  test('says that the other end cut it where nobody says more', async (t) => {
    const relay = await StandInRelay.start(t);
    relay.serve = (stream) => void stream.once('data', () => stream.destroy());
    const { postern } = setUp(t, relay);
    const child = postern('connect', 'db', '-L', '-');
    child.stdin.write('select');
    const [said, code] = await Promise.all([all(child.stderr), ended(child)]);
    assert.equal(said, 'The connection broke off: the other end, or the relay, ended it.\n');
    assert.equal(code, 6);
  });
});
