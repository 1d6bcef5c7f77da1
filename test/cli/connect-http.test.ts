import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { saveCredential } from '../../src/client/credentials.ts';
import { callRelay } from '../../src/client/relay-api.ts';
import { sha256 } from '../../src/lib/bytes.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type Installation, startInstallation } from '../faults/installation.ts';
import { commandLineToken } from '../identity/command-line-token.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const UPLOAD_MB = 64;

describe('postern connect to a web app, by way of the real relay and agent', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-connect-http-'));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory, POSTERN_PROFILE: '' };
  const seen: IncomingMessage[] = [];
  let installation: Installation;
  let token: Secret;
  let port = 0;

  before(async () => {
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    installation = undo.use(await startInstallation({ target: await startApp() }));
    token = new Secret(await commandLineToken(installation.origin, await installation.signIn()));
    saveCredential({ relay: installation.origin, token, expiresAt: Date.now() + 600_000, person: 'alice' }, env);
    const child = spawn(process.execPath, [MAIN, 'connect', 'wiki', '-L', '0'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    undo.defer(async () => {
      const gone = once(child, 'exit');
      if (child.kill('SIGINT')) await gone;
    });
    child.stderr.resume();
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    port = Number(chunk.toString());
  });
  after(() => undo.disposeAsync());

  /** Says the hash of what it is sent; its WebSocket echoes. */
  async function startApp(): Promise<string> {
    const app = createServer((req, res) => {
      seen.push(req);
      const hash = createHash('sha256');
      req.on('data', (chunk: Buffer) => hash.update(chunk));
      req.on('end', () => res.end(hash.digest('hex')));
    });
    const sockets = new WebSocketServer({ server: app });
    sockets.on('connection', (socket, req) => {
      seen.push(req);
      socket.on('message', (data) => socket.send(data));
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    undo.defer(() => {
      for (const socket of sockets.clients) socket.terminate();
      app.closeAllConnections();
      app.close();
    });
    return `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  }

  it('an upload arrives byte for byte, as the person', async () => {
    const content = randomFillSync(Buffer.alloc(UPLOAD_MB * 1024 * 1024));
    const upload = request({ host: '127.0.0.1', port, method: 'POST', path: '/up', agent: false });
    upload.end(content);
    const [answer] = (await once(upload, 'response')) as [IncomingMessage];
    assert.equal(await text(answer), sha256(content).toString('hex'));
    const received = seen.at(-1);
    assert.ok(received?.headers['x-postern-assertion']);
    assert.equal(received.headers['postern-token'], undefined);
    assert.equal(received.headers['x-forwarded-host'], new URL(installation.wiki).host);
  });

  it('a page of another site gets nothing, and the app does not hear of it', async () => {
    const before = seen.length;
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { origin: 'https://evil.example' } });
    assert.equal(answer.status, 403);
    assert.equal(seen.length, before);
  });

  it('a WebSocket works, until the sign-in behind it ends; then requests are told to sign in', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await once(socket, 'open');
    socket.send('one');
    const [echo] = (await once(socket, 'message')) as [Buffer];
    assert.equal(echo.toString(), 'one');

    const closed = once(socket, 'close') as Promise<[number]>;
    await callRelay({ relay: installation.origin, token, method: 'DELETE', path: '/api/v1/tokens/current', json: {} });
    const [code] = await closed;
    assert.equal(code, 1008);
    const before = seen.length;
    const told = await fetch(`http://127.0.0.1:${port}/after`);
    assert.equal(told.status, 401);
    assert.match(await told.text(), /^postern: .* Run: postern login /);
    assert.equal(seen.length, before);
  });
});
