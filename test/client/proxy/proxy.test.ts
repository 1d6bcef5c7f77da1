import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { ProxyPort } from '../../../src/client/proxy/port.ts';
import { Route } from '../../../src/client/proxy/route.ts';
import { type ProxyKinds, serveProxy } from '../../../src/client/proxy/serve-proxy.ts';
import { ClientTunnel } from '../../../src/client/tunnel/client-tunnel.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import type { StreamRefusal } from '../../../src/tunnel/stream-header.ts';
import { missing } from '../../apps/missing.ts';
import { StandInRelay } from '../tunnel/stand-in.ts';

const run = promisify(execFile);
const skip = missing(['/usr/bin/curl'], 'curl');
const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

/** A proxy over a stand-in relay, behind which a web server says where each connection was meant to go. */
async function setUp(t: TestContext, kinds: ProxyKinds = { socks: true, http: true }, handshakeMs?: number) {
  const relay = await StandInRelay.start(t);
  const web: Server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());
  relay.serve = (stream) => {
    const socket = connect((web.address() as AddressInfo).port, '127.0.0.1');
    socket.pipe(stream).pipe(socket);
    for (const one of [socket, stream]) one.on('error', () => socket.destroy());
  };
  const tunnel = new ClientTunnel({ credential: () => relay.credential() });
  t.after(() => tunnel[Symbol.dispose]());
  const route = new Route(relay.origin, tunnel);
  const said: string[] = [];
  const port: ProxyPort = {
    open: (host, to, gone) => route.open(host, to, gone),
    failed: (host, error) => void said.push(`${host}: ${messageOf(error)}`),
  };
  const listener = await serveProxy(LOOPBACK, kinds, port, handshakeMs);
  t.after(() => listener[Symbol.asyncDispose]());
  return { relay, said, at: listener.address, port: listener.port ?? 0 };
}

async function curl(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await run('curl', ['-sS', '--max-time', '20', ...args]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('a proxy on this machine', () => {
  test('leads curl by SOCKS5 and by HTTP CONNECT through one port, by name, address and port', { skip }, async (t) => {
    const { relay, at } = await setUp(t);
    const ways = [
      ['--socks5-hostname', at],
      ['--proxytunnel', '--proxy', `http://${at}`],
    ] as const;
    const hosts = [
      ['http://build.internal:8080/a', { version: 1, kind: 'destination', destination: 'build.internal:8080' }],
      ['http://10.1.2.3/b', { version: 1, kind: 'destination', destination: '10.1.2.3:80' }],
      ['http://[2001:db8::1]:81/c', { version: 1, kind: 'destination', destination: '[2001:db8::1]:81' }],
      ['http://db/d', { version: 1, kind: 'resource', resource: 'db' }],
      ['http://DB.postern.localhost:99/e', { version: 1, kind: 'resource', resource: 'db' }],
    ] as const;
    for (const way of ways) {
      for (const [url, header] of hosts) {
        const { out } = await curl(...way, url);
        assert.equal(out, `GET ${new URL(url).pathname}`, `${way[0]} ${url}`);
        assert.deepEqual(relay.headers.at(-1), header);
      }
    }
    // Names are for the other end to resolve.
    const resolvedHere = await curl('--socks5', at, 'http://127.0.0.1:9/');
    assert.equal(resolvedHere.out, 'GET /');
  });

  test('takes a name without dots for a resource, and asks for an address where there is none', async (t) => {
    const { relay, port } = await setUp(t);
    relay.answer = (header) =>
      'resource' in header && header.resource === 'intranet'
        ? { ok: false, code: 'unknown_resource' }
        : { ok: false, code: 'denied', message: 'No.' };
    for (const host of ['intranet', 'intranet', 'db']) assert.equal(await socksReply(port, host), 2);
    assert.deepEqual(
      relay.headers.map((header) =>
        'destination' in header ? header.destination : 'resource' in header && header.resource,
      ),
      ['intranet', 'intranet:80', 'intranet:80', 'db'],
    );
  });

  test('says no with the code of each protocol, and why on standard error', { skip }, async (t) => {
    const { relay, at, port, said } = await setUp(t);
    const cases: [StreamRefusal, number, number][] = [
      ['denied', 2, 403],
      ['unauthenticated', 2, 403],
      ['dial_refused', 5, 502],
      ['dial_timeout', 4, 502],
      ['no_agent', 4, 502],
      ['unavailable', 3, 502],
      ['too_many', 1, 503],
    ];
    for (const [code, reply, status] of cases) {
      relay.answer = () => ({ ok: false, code, message: `No: ${code}.`, reference: 'r1' });
      assert.equal(await socksReply(port), reply, code);
      const refused = await curl('--proxytunnel', '--proxy', `http://${at}`, 'http://build.internal/');
      assert.match(refused.err, new RegExp(`${status}`), code);
    }
    assert.equal(said[0], 'build.internal: No: denied. (reference r1)');
    assert.equal(said.length, cases.length * 2);
  });

  test('takes nothing else: other requests, other protocols, unfinished ones', { skip }, async (t) => {
    const { relay, at } = await setUp(t);
    const plain = await curl('-w', '%{http_code}', '--proxy', `http://${at}`, 'http://build.internal/');
    assert.match(plain.out, /405$/);
    for (const authority of ['build.internal', 'build.internal:0', 'a b:1', 'x@y:1', '[::1:1', 'a/b:1'])
      assert.match(await raw(at, `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 400/, authority);
    assert.match(await raw(at, '\x04\x01\0\x50'), /^HTTP\/1\.1 400/);
    assert.equal(await raw(at, '\x05\x02'), '');
    assert.equal(await raw(at, ''), '');
    assert.equal(relay.headers.length, 0);
    const socksOnly = await setUp(t, { socks: true, http: false });
    assert.equal(await raw(socksOnly.at, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'), '');
    const httpOnly = await setUp(t, { socks: false, http: true });
    assert.doesNotMatch(await raw(httpOnly.at, '\x05\x01\0'), /^\x05/);
  });

  test('cuts whoever does not ask in time, and nobody else', async (t) => {
    const { at } = await setUp(t, { socks: true, http: true }, 100);
    const slow = [
      '\x05',
      '\x05\x01\0',
      '\x05\x01\0\x05\x01\0\x03\x09',
      'CONNECT a:1 HT',
      'GET / HTTP/1.1\r\nHost: a\r\n',
    ];
    assert.deepEqual(await Promise.all(slow.map((bytes) => raw(at, bytes))), ['', '\x05\0', '\x05\0', '', '']);
    const socket = connect(Number(at.split(':')[1]), '127.0.0.1');
    socket.write('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    // Longer than the others had.
    await raw(at, '\x05');
    socket.write('GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(String(await once(socket, 'data')), /GET \/later$/);
  });

  test('passes on what comes with the request', async (t) => {
    const { at } = await setUp(t);
    const get = 'GET /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    assert.match(
      await raw(at, `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${get}`),
      /200 Connection Established[^]*GET \/early$/,
    );
    assert.match(await raw(at, `\x05\x01\0\x05\x01\0\x03\x01a\0\x50${get}`), /^\x05\0\x05\0[^]*GET \/early$/);
  });
});

/** All that comes back; this end ends its half with its last byte. */
function raw(at: string, bytes: string): Promise<string> {
  const [host = '', port = ''] = at.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    let said = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text;
    });
    socket.on('end', () => socket.end()).on('error', () => {});
    socket.on('close', () => resolve(said));
    if (bytes === '' || bytes === '\x05\x02') socket.end(bytes, 'latin1');
    else socket.write(bytes, 'latin1');
  });
}

/** The reply code to a request for port 80 there. */
async function socksReply(port: number, host = 'build.internal'): Promise<number | undefined> {
  const length = String.fromCharCode(host.length);
  const said = await raw(`127.0.0.1:${port}`, `\x05\x01\0\x05\x01\0\x03${length}${host}\0\x50`);
  return Buffer.from(said, 'latin1')[3];
}
