import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { RelayConfig } from '../../src/config/relay-config.ts';
import { clientAddress } from '../../src/lib/client-address.ts';
import { createLog } from '../../src/lib/log.ts';
import { followCertificate } from '../../src/relay/certificate.ts';
import { listenForRelay } from '../../src/relay/listen.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';
import { makeCertificate } from './certificates.ts';
import { PLAIN } from './plain.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-listen-'));
after(() => rmSync(directory, { recursive: true }));
const first = makeCertificate(directory, 'first', ['access.test', '*.access.test']);
const second = makeCertificate(directory, 'second', ['access.test', '*.access.test']);
const log = createLog('silent');

type Settings = Partial<RelayConfig['relay']> & { readonly lookMs?: number };

/** A listener whose every answer is the plane that answers and the address it sees. */
async function listening({ lookMs, ...settings }: Settings) {
  const answer = (plane: string) => (req: IncomingMessage, res: ServerResponse) =>
    void res.end(`${plane} ${clientAddress(req)}`);
  const relay = await listenForRelay(
    { ...PLAIN, ...settings },
    {
      relayHost: 'access.test',
      control: answer('control'),
      tunnelUpgrade: (_req, socket) => void socket.destroy(),
      gateway: { handleRequest: answer('gateway'), handleUpgrade: (_req, socket) => void socket.destroy() },
    },
    { log, ...(lookMs === undefined ? {} : { lookMs }) },
  );
  return { relay, port: Number(new URL(relay.url).port), [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

const get = (host: string, ...headers: string[]) =>
  ['GET /a?b HTTP/1.1', `Host: ${host}`, 'Connection: close', ...headers, '', ''].join('\r\n');

/** Everything the other end says until it closes; '' when it says nothing. */
async function talk(socket: Socket, bytes: string | Buffer): Promise<string> {
  let said = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    said += chunk;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return said;
}

const plain = (port: number, bytes: string | Buffer) => talk(connect(port, '127.0.0.1'), bytes);
const bodyOf = (answer: string) => answer.split('\r\n').at(-1) || answer.split('\r\n\r\n')[1]?.split('\r\n')[1];

/** Fingerprint of the certificate that a client is shown which asks for this name ('' for none). */
async function shownTo(port: number, servername = 'access.test'): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe('TLS', () => {
  test('hosts answer by https, with the certificate of the file', async () => {
    await using it = await listening({ tls: { certificates: [first], redirectFrom: undefined } });
    const ca = readFileSync(first.certificateFile);
    const open = (servername: string) => connectTls({ port: it.port, host: '127.0.0.1', servername, ca });
    assert.match(await talk(open('access.test'), get('access.test')), /control 127\.0\.0\.1/);
    assert.match(await talk(open('wiki.access.test'), get('wiki.access.test')), /gateway 127\.0\.0\.1/);
  });

  test('plain HTTP on that port, old TLS and a stranger to TLS get nothing', async () => {
    await using it = await listening({ tls: { certificates: [first], redirectFrom: undefined } });
    assert.equal(await plain(it.port, get('access.test')), '');
    const old = connectTls({ port: it.port, host: '127.0.0.1', maxVersion: 'TLSv1.1', rejectUnauthorized: false });
    await assert.rejects(once(old, 'secureConnect'));
  });

  test('a renewed certificate is served to the next connection; half of a pair changes nothing', async () => {
    const live = { certificateFile: join(directory, 'live.pem'), keyFile: join(directory, 'live.key') };
    copyFileSync(first.certificateFile, live.certificateFile);
    copyFileSync(first.keyFile, live.keyFile);
    const lines: string[] = [];
    const renewed: string[] = [];
    const stop = new AbortController();
    const happened = Promise.withResolvers<void>();
    let refused = Promise.withResolvers<void>();
    const following = followCertificate({
      files: live,
      lookMs: 5,
      signal: stop.signal,
      log: Object.assign(createLog('silent'), {
        error: (_: object, text: string) => {
          lines.push(text);
          refused.resolve();
        },
      }),
      onRenewed: ({ leaf }) => {
        renewed.push(leaf.fingerprint256);
        happened.resolve();
      },
    });
    await new Promise(setImmediate);
    copyFileSync(second.certificateFile, live.certificateFile);
    await refused.promise;
    assert.deepEqual(renewed, []);
    refused = Promise.withResolvers();
    writeFileSync(live.keyFile, 'not a key');
    await refused.promise;
    assert.deepEqual(renewed, []);
    copyFileSync(second.keyFile, live.keyFile);
    await happened.promise;
    stop.abort();
    await following;
    assert.equal(renewed.length, 1);
    assert.match(lines[0] ?? '', /refused; the old one stays/);
  });

  test('a running listener takes the new pair without a restart', async () => {
    const live = { certificateFile: join(directory, 'run.pem'), keyFile: join(directory, 'run.key') };
    copyFileSync(first.certificateFile, live.certificateFile);
    copyFileSync(first.keyFile, live.keyFile);
    await using it = await listening({ tls: { certificates: [live], redirectFrom: undefined }, lookMs: 5 });
    const before = await shownTo(it.port);
    copyFileSync(second.certificateFile, live.certificateFile);
    copyFileSync(second.keyFile, live.keyFile);
    await eventually(
      async () => (await shownTo(it.port)) !== before,
      () => 'the old certificate is still served',
    );
  });
});

describe('several certificates', () => {
  const directoryOf = (name: string) => ({
    certificateFile: join(directory, `${name}.pem`),
    keyFile: join(directory, `${name}.key`),
  });
  const own = makeCertificate(directory, 'own', ['access.test']);
  const wild = makeCertificate(directory, 'wild', ['*.access.test', '*.apps.test']);
  const exact = makeCertificate(directory, 'exact', ['wiki.access.test', 'intranet.test']);
  const fingerprint = ({ certificateFile }: { certificateFile: string }) =>
    new X509Certificate(readFileSync(certificateFile)).fingerprint256;

  test('a client is shown the one for the name that it asks for: exact, else wildcard, else the first', async () => {
    await using it = await listening({ tls: { certificates: [own, wild, exact], redirectFrom: undefined } });
    const expected: readonly (readonly [name: string, pair: typeof own])[] = [
      ['access.test', own],
      ['ACCESS.test', own],
      ['build.access.test', wild],
      ['shop.apps.test', wild],
      ['wiki.access.test', exact],
      ['intranet.test', exact],
      ['a.b.access.test', own],
      ['stranger.test', own],
      ['', own],
    ];
    for (const [name, pair] of expected)
      assert.equal(await shownTo(it.port, name), fingerprint(pair), `asked for "${name}"`);
  });

  test('clients that verify reach every host, and none that no certificate names', async () => {
    await using it = await listening({ tls: { certificates: [own, wild, exact], redirectFrom: undefined } });
    const ca = [own, wild, exact].map(({ certificateFile }) => readFileSync(certificateFile));
    const open = (servername: string) => connectTls({ port: it.port, host: '127.0.0.1', servername, ca });
    assert.match(await talk(open('access.test'), get('access.test')), /control 127\.0\.0\.1/);
    for (const host of ['build.access.test', 'wiki.access.test', 'intranet.test'])
      assert.match(await talk(open(host), get(host)), /gateway 127\.0\.0\.1/);
    await assert.rejects(once(open('stranger.test'), 'secureConnect'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('a session of one host is taken up again at that host, and shows no other certificate', async () => {
    await using it = await listening({ tls: { certificates: [own, exact], redirectFrom: undefined } });
    const ca = [own, exact].map(({ certificateFile }) => readFileSync(certificateFile));
    const open = (session?: Buffer) =>
      connectTls({ port: it.port, host: '127.0.0.1', servername: 'intranet.test', ca, ...(session && { session }) });
    const before = open();
    const [session] = (await once(before, 'session')) as [Buffer];
    before.destroy();
    const again = open(session);
    await once(again, 'secureConnect');
    assert.deepEqual([again.isSessionReused(), again.authorized], [true, true]);
    assert.match(await talk(again, get('intranet.test')), /gateway 127\.0\.0\.1/);
  });

  test('each is renewed by itself; the others stay', async () => {
    const live = [directoryOf('live-own'), directoryOf('live-exact')] as const;
    const put = (from: typeof own, to: typeof own) => {
      copyFileSync(from.certificateFile, to.certificateFile);
      copyFileSync(from.keyFile, to.keyFile);
    };
    put(own, live[0]);
    put(exact, live[1]);
    await using it = await listening({ tls: { certificates: live, redirectFrom: undefined }, lookMs: 5 });
    const served = async () => [await shownTo(it.port, 'access.test'), await shownTo(it.port, 'intranet.test')];
    const until = (wanted: readonly (typeof own)[]) => {
      const prints = wanted.map(fingerprint);
      return eventually(
        async () => isDeepStrictEqual(await served(), prints),
        () => 'the old one is still served',
      );
    };
    await until([own, exact]);
    const exactAgain = makeCertificate(directory, 'exact-again', ['intranet.test']);
    put(exactAgain, live[1]);
    await until([own, exactAgain]);
    put(first, live[0]);
    await until([first, exactAgain]);
    writeFileSync(live[1].keyFile, 'not a key');
    put(own, live[0]);
    await until([own, exactAgain]);
  });
});

describe('the redirect', () => {
  test('sends every host to https alike, so that strangers do not learn which exist', async () => {
    const port = await freePort();
    await using _ = await listening({ tls: { certificates: [first], redirectFrom: { host: '127.0.0.1', port } } });
    const known = await plain(port, get('wiki.access.test:80'));
    assert.match(known, /^HTTP\/1\.1 308 /);
    assert.match(known, /\r\nLocation: https:\/\/wiki\.access\.test\/a\?b\r\n/);
    const unknown = await plain(port, get('gone.access.test:80'));
    const undated = (answer: string) => answer.replace(/Date: .*/, '');
    assert.equal(undated(unknown.replace('gone.access.test', 'wiki.access.test')), undated(known));
    assert.match(await plain(port, get('a@evil.test')), /^HTTP\/1\.1 404 /);
    assert.match(await plain(port, get('wiki.access.test').replace('GET', 'POST')), /^HTTP\/1\.1 403 /);
    assert.match(await plain(port, get('access.test').replace('/a?b', 'http://evil.test/')), /^HTTP\/1\.1 404 /);
  });
});

describe('proxies in front', () => {
  test('X-Forwarded-For counts from a trusted proxy, from the right', async () => {
    await using it = await listening({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
    const seen = async (...headers: string[]) => bodyOf(await plain(it.port, get('access.test', ...headers)));
    assert.equal(await seen('X-Forwarded-For: 203.0.113.7'), 'control 203.0.113.7');
    assert.equal(await seen('X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.2.3.4'), 'control 203.0.113.7');
    assert.equal(
      await seen('X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 203.0.113.7'),
      'control 203.0.113.7',
      'fields of one name are one list',
    );
    assert.equal(await seen('X-Forwarded-For: [2001:db8::7]:443'), 'control 2001:db8::7');
    assert.equal(await seen('X-Forwarded-For: ::ffff:203.0.113.7'), 'control 203.0.113.7');
    assert.equal(await seen('X-Forwarded-For: 203.0.113.7, whatever'), 'control 127.0.0.1', 'no guess past nonsense');
    assert.equal(await seen(), 'control 127.0.0.1');
  });

  test('nobody else is believed', async () => {
    await using it = await listening({ trustedProxies: ['10.0.0.0/8'] });
    const forged = get('access.test', 'X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: http');
    assert.equal(bodyOf(await plain(it.port, forged)), 'control 127.0.0.1');
  });

  test('what a proxy took in as plain HTTP goes to https', async () => {
    await using it = await listening({ trustedProxies: ['127.0.0.1'] });
    assert.match(await plain(it.port, get('access.test', 'X-Forwarded-Proto: http')), /^HTTP\/1\.1 308 /);
    assert.match(await plain(it.port, get('access.test', 'X-Forwarded-Proto: https, http')), /^HTTP\/1\.1 308 /);
    assert.match(await plain(it.port, get('access.test', 'X-Forwarded-Proto: https')), /control/);
    assert.match(
      await plain(
        it.port,
        get('access.test', 'X-Forwarded-Proto: http').replace(
          'Connection: close',
          'Connection: upgrade\r\nUpgrade: websocket',
        ),
      ),
      /^HTTP\/1\.1 403 /,
    );
  });
});

describe('the PROXY protocol', () => {
  const settings: Settings = { trustedProxies: ['127.0.0.1'], proxyProtocol: true };
  const HEADER = 'PROXY TCP4 203.0.113.7 127.0.0.1 5000 443\r\n';

  test('names the client, in one piece and byte by byte', async () => {
    await using it = await listening(settings);
    assert.equal(bodyOf(await plain(it.port, HEADER + get('access.test'))), 'control 203.0.113.7');
    const socket = connect({ port: it.port, host: '127.0.0.1', noDelay: true });
    const answer = talk(socket, '');
    for (const byte of HEADER + get('access.test')) {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    assert.equal(bodyOf(await answer), 'control 203.0.113.7');
  });

  test('goes before TLS', async () => {
    await using it = await listening({ ...settings, tls: { certificates: [first], redirectFrom: undefined } });
    const raw = connect(it.port, '127.0.0.1');
    raw.write(HEADER);
    const socket = connectTls({ socket: raw, servername: 'access.test', ca: readFileSync(first.certificateFile) });
    assert.match(await talk(socket, get('access.test')), /control 203\.0\.113\.7/);
  });

  test('connections behind it that have become idle end when the relay stops', { timeout: 30_000 }, async () => {
    await using it = await listening(settings);
    const kept = connect(it.port, '127.0.0.1');
    kept.write(`${HEADER}${get('access.test').replace('Connection: close\r\n', '')}`);
    await once(kept, 'data');
    it.relay.stopAccepting();
    await once(kept, 'close');
  });

  test('a connection without it, and one from elsewhere, is cut', async () => {
    await using it = await listening(settings);
    assert.equal(await plain(it.port, get('access.test')), '');
    assert.equal(await plain(it.port, HEADER.replace('TCP4', 'TCP6') + get('access.test')), '');
    await using strict = await listening({ trustedProxies: ['10.0.0.1'], proxyProtocol: true });
    assert.equal(await plain(strict.port, HEADER + get('access.test')), '');
  });
});
