import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { clientAddress } from '../../src/lib/client-address.ts';
import { createLog } from '../../src/lib/log.ts';
import { listenForRelay } from '../../src/relay/listen.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';
import { makeCertificate } from './certificates.ts';
import { PLAIN } from './plain.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/first-deployment.md', import.meta.url)), 'utf8');
const BLOCK = /```nginx\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** The configuration that docs/first-deployment.md gives, in front of a real listener. */
describe('behind nginx', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-nginx-'));
  const held = new AsyncDisposableStack();
  const { certificateFile, keyFile } = makeCertificate(directory, 'nginx', ['access.test', '*.access.test']);
  let port: number;

  before(async () => {
    port = await freePort();
    const relay = held.use(
      await listenForRelay(
        { ...PLAIN, trustedProxies: ['127.0.0.0/31'] },
        {
          relayHost: 'access.test',
          control: (req, res) => res.end(`control ${req.headers.host} ${clientAddress(req)}`),
          tunnelUpgrade: (req, socket) => {
            socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
            socket.end(`upgraded ${clientAddress(req)}`);
          },
          gateway: {
            handleRequest: (req, res) => res.end(`gateway ${req.headers.host} ${req.url} ${clientAddress(req)}`),
            handleUpgrade: (_req, socket) => void socket.destroy(),
          },
        },
        { log: createLog('silent') },
      ),
    );
    const server = BLOCK.replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replaceAll('access.example.com', 'access.test')
      .replace('/etc/nginx/fullchain.pem', certificateFile)
      .replace('/etc/nginx/privkey.pem', keyFile)
      .replace('http://10.0.0.10:8080', relay.url);
    const file = join(directory, 'nginx.conf');
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join(' ');
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${directory}/pid; error_log stderr; events {}\nhttp { access_log off; ${paths}\n${server} }\n`,
    );
    const nginx = spawn('nginx', ['-p', directory, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    nginx.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const ended = once(nginx, 'exit');
    held.defer(async () => {
      nginx.kill('SIGTERM');
      await ended;
    });
    await eventually(
      async () => nginx.exitCode !== null || (await talk('access.test', '/', []).catch(() => '')) !== '',
      () => said,
    );
    assert.equal(nginx.exitCode, null, said);
  });
  after(async () => {
    await held.disposeAsync();
    rmSync(directory, { recursive: true });
  });

  /** Everything nginx says to one request. */
  async function talk(host: string, path: string, headers: readonly string[]): Promise<string> {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      port,
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
      servername: host,
      ca: readFileSync(certificateFile),
    };
    const socket = connect(options);
    let said = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      said += chunk;
    });
    const closed = once(socket, 'close');
    const fields = headers.some((line) => line.startsWith('Connection')) ? headers : [...headers, 'Connection: close'];
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields.map((line) => `${line}\r\n`).join('')}\r\n`);
    await closed;
    return said;
  }

  test('host and path arrive as they were sent, and the client is who nginx says', async () => {
    const forged = ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: http'];
    const own = await talk('access.test', '/', forged);
    assert.match(own, /control access\.test 127\.0\.0\.2/);
    const app = await talk('wiki.access.test', '/a%2Fb//c?d=%20', forged);
    assert.match(app, /gateway wiki\.access\.test \/a%2Fb\/\/c\?d=%20 127\.0\.0\.2/);
  });

  test('a tunnel opens through it', async () => {
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    assert.match(await talk('access.test', '/tunnel', upgrade), /^HTTP\/1\.1 101 [\s\S]*upgraded 127\.0\.0\.2$/);
  });
});
