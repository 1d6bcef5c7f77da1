import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { findRelay } from '../../src/client/find-relay.ts';
import { startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { createMachine } from './machine.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const WAYS = [['--no-browser'], ['--device']];

describe('postern login asks first whether a relay is there', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const { env, postern } = undo.use(createMachine());
  let relay: WholeRelay;

  before(async () => {
    relay = undo.use(await startWholeRelay());
  });
  after(() => undo.disposeAsync());

  async function listen(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.defer(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const web = (answer: RequestListener) => listen(createHttpServer(answer));

  it('goes on where one is; Ctrl-C breaks it off with the code that shells expect', async () => {
    const login = spawn(process.execPath, [MAIN, 'login', relay.origin, '--no-browser'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = (await once(login.stderr, 'data')) as [Buffer];
    assert.ok(said.toString().includes(`${relay.origin}/cli/authorize?`), said.toString());
    login.kill('SIGINT');
    assert.deepEqual(await once(login, 'exit'), [130, null]);
  });

  it('where nothing answers it says so, why, and what to look at: 6', async () => {
    for (const way of WAYS) {
      const { status, out, err } = await postern('login', 'http://postern.localhost:9', ...way);
      assert.deepEqual([status, out], [6, ''], way.join());
      assert.match(err, /^The relay at http:\/\/postern\.localhost:9 cannot be reached\. Nothing listens at /);
      assert.match(err, /Is it running, and is the port right\?\n$/);
    }
    const balancer = await web((_req, res) => res.writeHead(502).end('<h1>Bad gateway</h1>'));
    const { status, err } = await postern('login', balancer);
    assert.deepEqual([status, /answered 502/.test(err)], [6, true], err);

    const silent = await listen(createServer((socket) => undo.defer(() => void socket.destroy())));
    const waited = await findRelay(silent, new AbortController().signal, 300).catch((error: unknown) => error);
    assert.deepEqual(
      [exitCodeOf(waited), /did not answer in time\. Is the address right/.test(String(waited))],
      [6, true],
    );
  });

  it('what is not a relay is called that, whatever it answers: 1', async () => {
    const others = {
      page: await web((_req, res) => res.end('<!doctype html>')),
      nothing: await web((_req, res) => res.writeHead(404).end('Not found')),
      refusal: await web((_req, res) => res.writeHead(401).end()),
      'a provider': await web((_req, res) => res.end('{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}')),
      ssh: await listen(createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.9\r\n'))),
      'an app of a relay': relay.app('wiki'),
    };
    for (const [what, address] of Object.entries(others)) {
      const { status, out, err } = await postern('login', address, '--no-browser');
      assert.deepEqual([status, out], [1, ''], what);
      assert.ok(err.startsWith(`${address} does not answer like a Postern relay. Is the address right?`), err);
    }
  });
});
