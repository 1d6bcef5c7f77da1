import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { callbackify } from 'node:util';
import { request, Agent as UndiciAgent } from 'undici';
import type { AgentTarget, TlsTarget } from '../../src/config/agent-target.ts';
import { makeCertificate } from '../relay/certificates.ts';
import { Office, receiptFor, tunnelTo } from './office.ts';
import { SmallRelay } from './small-relay.ts';

const never = new AbortController().signal;

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-targets-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function serve(t: TestContext, server: Server, at: number | string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(at, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' ? ((address as AddressInfo | null)?.port ?? 0) : 0;
}

const echo: RequestListener = (req, res) => {
  const { servername, encrypted } = req.socket as TLSSocket;
  res.setHeader('x-seen', `${req.url} ${encrypted ? `tls ${String(servername)}` : 'plain'}`);
  req.pipe(res);
};

/** HTTP over a tunnel stream to this target: what it echoes, or why there is nothing. */
async function ask(t: TestContext, target: AgentTarget): Promise<string> {
  const relay = await SmallRelay.start(t);
  const office = new Office(t, relay, { app: target });
  office.giveToken(relay);
  office.start();
  const tunnel = await tunnelTo(relay, 'app');
  const receipt = await receiptFor(relay, tunnel, 'app', {});
  const client = new UndiciAgent({
    connect: (_options, callback) => {
      const open = callbackify(() => tunnel.openStream({ resource: 'app', receipt, signal: never }));
      open((error, stream) => (stream ? callback(null, stream as never) : callback(error ?? new Error('none'), null)));
    },
  });
  t.after(() => client.destroy());
  const body = 'x'.repeat(300_000);
  try {
    const answer = await request('http://app/a%2Fb?c=d', { method: 'POST', body, dispatcher: client });
    assert.equal(await answer.body.text(), body);
    return String(answer.headers['x-seen']);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

test('a target behind a unix socket', async (t) => {
  const path = join(directoryOf(t), 'app.sock');
  await serve(t, createHttpServer(echo), path);
  assert.equal(await ask(t, { kind: 'unix', path }), '/a%2Fb?c=d plain');
});

test('a unix socket that is not there', async (t) => {
  assert.equal(await ask(t, { kind: 'unix', path: join(directoryOf(t), 'app.sock') }), 'target_unreachable');
});

/** Two certificates, and a server that has the first. */
async function secure(t: TestContext) {
  const directory = directoryOf(t);
  const { certificateFile, keyFile } = makeCertificate(directory, 'own', ['git.internal']);
  const other = makeCertificate(directory, 'other', ['git.internal']);
  const server = createHttpsServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, echo);
  const target: TlsTarget = {
    kind: 'tls',
    host: '127.0.0.1',
    port: await serve(t, server, 0),
    serverName: 'git.internal',
    ca: readFileSync(certificateFile, 'utf8'),
    verify: true,
  };
  return { target, otherCa: readFileSync(other.certificateFile, 'utf8') };
}

test('a target with TLS: an own authority, and the name it is asked for', async (t) => {
  const { target } = await secure(t);
  assert.equal(await ask(t, target), '/a%2Fb?c=d tls git.internal');
});

test('a target with TLS whose authority, name or protocol is another is not spoken to', async (t) => {
  const { target, otherCa } = await secure(t);
  assert.equal(await ask(t, { ...target, ca: otherCa }), 'target_unreachable');
  assert.equal(await ask(t, { ...target, ca: undefined }), 'target_unreachable');
  assert.equal(await ask(t, { ...target, serverName: 'other.internal' }), 'target_unreachable');
  assert.equal(await ask(t, { ...target, serverName: '127.0.0.1' }), 'target_unreachable');
  let plainBytes = '';
  const plain = createHttpServer((req, res) => {
    plainBytes += req.url;
    res.end();
  });
  assert.equal(await ask(t, { ...target, port: await serve(t, plain, 0) }), 'target_unreachable');
  assert.equal(plainBytes, '');
});

test('a target whose certificate shall not be looked at', async (t) => {
  const { target } = await secure(t);
  assert.equal(
    await ask(t, { ...target, ca: undefined, serverName: '127.0.0.1', verify: false }),
    '/a%2Fb?c=d tls false',
  );
});
