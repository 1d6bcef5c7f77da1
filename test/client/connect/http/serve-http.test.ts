import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { rememberToken } from '../../../../src/client/connect/http/remember-token.ts';
import { serveHttp } from '../../../../src/client/connect/http/serve-http.ts';
import type { LocalListener } from '../../../../src/client/connect/listen.ts';
import { PosternError } from '../../../../src/lib/errors.ts';
import { Secret } from '../../../../src/lib/secret.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

describe('A local port that leads to a web app as the person', { timeout: 60_000 }, () => {
  const undo = new AsyncDisposableStack();
  const stop = new AbortController();
  /** Stands for the relay on the app's own host: each test says how it answers. */
  let answer: Answer = (_req, res) => void res.end();
  const app = createServer((req, res) => void answer(req, res));
  app.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => void answer(req, res));
  let origin = '';
  let port = 0;
  let listener: LocalListener;
  let issued = 0;
  let refusal: PosternError | undefined;
  const failures: unknown[] = [];

  before(async () => {
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    undo.defer(() => {
      app.closeAllConnections();
      app.close();
    });
    origin = `http://wiki.postern.localhost:${(app.address() as AddressInfo).port}`;
    const token = rememberToken(() => {
      if (refusal) return Promise.reject(refusal);
      issued += 1;
      return Promise.resolve({ token: new Secret(`pst_${issued}`), expiresAt: Date.now() + 600_000, audience: origin });
    });
    const failed = (error: unknown) => void failures.push(error);
    listener = undo.use(
      await serveHttp({ kind: 'tcp', host: '127.0.0.1', port: 0 }, { origin, token, failed, signal: stop.signal }),
    );
    port = listener.port ?? 0;
  });
  after(() => undo.disposeAsync());

  const ask = (options: RequestOptions = {}): ClientRequest =>
    request({ host: '127.0.0.1', port, agent: false, ...options });
  async function answered(asked: ClientRequest): Promise<IncomingMessage> {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  }
  async function get(headers: RequestOptions['headers'] = {}, more: RequestOptions = {}) {
    const response = await answered(ask({ ...more, headers }).end());
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }
  const echo: Answer = (req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ method: req.method, url: req.url, fields: req.rawHeaders }));
  };
  type Echo = { method: string; url: string; fields: string[] };
  const fieldsOf = (body: string) => {
    const { fields } = JSON.parse(body) as Echo;
    return fields.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${fields[at + 1]}`] : []));
  };

  it('calls the app by its own name with a token, and leaves the rest alone', async () => {
    answer = echo;
    const sent = {
      Authorization: 'Basic YTpi',
      'X-Thing': ['1', '2'],
      'Postern-Token': 'pst_of_somebody',
      postern_token: 'pst_of_somebody',
      Connection: 'keep-alive, X-Hop',
      'X-Hop': 'for you only',
      Referer: `http://127.0.0.1:${port}/from?here`,
    };
    const { status, body } = await get(sent, { path: '/a%2Fb//c;d?e=%20&e' });
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as Echo).url, '/a%2Fb//c;d?e=%20&e');
    const fields = fieldsOf(body);
    assert.ok(fields.includes(`host: ${new URL(origin).host}`));
    assert.deepEqual(
      fields.filter((field) => /token/.test(field)),
      ['postern-token: pst_1'],
    );
    assert.ok(fields.includes('authorization: Basic YTpi'));
    assert.deepEqual(
      fields.filter((field) => field.startsWith('x-')),
      ['x-thing: 1', 'x-thing: 2'],
    );
    assert.ok(fields.includes(`referer: ${origin}/from?here`));
  });

  it('takes no body for a request of its own, whatever Connection says of its length', async () => {
    const seen: string[] = [];
    answer = async (req, res) => {
      seen.push(`${req.method} ${req.url}: ${await text(req)}`);
      res.end();
    };
    const inner = 'GET /inner HTTP/1.1\r\nHost: x\r\n\r\n';
    const asked = ask({ method: 'GET', headers: { Connection: 'content-length', 'Content-Length': inner.length } });
    assert.equal((await answered(asked.end(inner))).statusCode, 200);
    assert.deepEqual(seen, [`GET /: ${inner}`]);
  });

  it('is no use to a page of another site, by whatever name', async () => {
    let reached = 0;
    answer = (req, res) => {
      reached += 1;
      void echo(req, res);
    };
    const refused: RequestOptions['headers'][] = [
      { Host: 'evil.example' },
      { Host: `evil.example:${port}` },
      { Host: `127.0.0.1.evil.example:${port}` },
      { Host: `localhost:${port + 1}` },
      { Host: 'localhost' },
      { Host: new URL(origin).host },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: `http://localhost:${port}`, Host: `127.0.0.1:${port}` },
      { Origin: `http://127.0.0.1:${port + 1}` },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ];
    for (const headers of refused) assert.equal((await get(headers)).status, 403, JSON.stringify(headers));
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', Origin: 'https://evil.example' };
    assert.equal((await get(upgrade)).status, 403);
    assert.equal(reached, 0);

    const taken: RequestOptions['headers'][] = [
      {},
      { Host: `localhost:${port}` },
      { Host: `LOCALHOST:${port}`, Origin: `http://localhost:${port}` },
      { Host: `[::1]:${port}` },
      { Host: `127.0.0.1:${port}`, Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' },
      { 'Sec-Fetch-Site': 'none' },
    ];
    for (const headers of taken) assert.equal((await get(headers)).status, 200, JSON.stringify(headers));
    const own = await get({ Host: `localhost:${port}`, Origin: `http://localhost:${port}` });
    assert.ok(fieldsOf(own.body).includes(`origin: ${origin}`));
  });

  it('refuses what is for a proxy, or can be read in two ways', async () => {
    answer = () => assert.fail('it was passed on');
    assert.equal((await get({}, { path: 'http://169.254.169.254/latest' })).status, 400);
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost:${port}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    );
    assert.match(await text(socket), /^HTTP\/1\.1 400 /);
  });

  it('leads redirects, challenges and cookies of the app back through the port, and no others', async () => {
    answer = (_req, res) =>
      void res
        .writeHead(302, [
          ...['Location', `${origin}/next?x`, 'Content-Location', 'https://elsewhere.example/', 'Alt-Svc', 'h3=":443"'],
          ...['Set-Cookie', 'a=1; Domain=postern.localhost; Path=/; HttpOnly', 'Set-Cookie', 'b=2'],
          ...['WWW-Authenticate', `Bearer realm="${origin}/token",service="registry"`],
        ])
        .end();
    const { headers } = await get();
    const local = `http://127.0.0.1:${port}`;
    assert.equal(headers.location, `${local}/next?x`);
    assert.equal(headers['content-location'], 'https://elsewhere.example/');
    assert.equal(headers['alt-svc'], undefined);
    assert.deepEqual(headers['set-cookie'], ['a=1; Path=/; HttpOnly', 'b=2']);
    assert.equal(headers['www-authenticate'], `Bearer realm="${local}/token",service="registry"`);

    answer = (_req, res) => void res.writeHead(302, { location: `${origin}.evil.example/` }).end();
    assert.equal((await get()).headers.location, `${origin}.evil.example/`);
  });

  it('passes bodies of either framing with trailers, both ways, on one connection', async () => {
    answer = async (req, res) => {
      const body = await buffer(req);
      const { rawTrailers, headers } = req;
      const how = headers['transfer-encoding'] ?? headers['content-length'] ?? 'nothing';
      res.writeHead(200, { 'X-Body': `${body.length} by ${how}`, Trailer: 'X-End' });
      res.write(body);
      res.addTrailers({ 'X-End': rawTrailers.join('=') || 'none' });
      res.end();
    };
    using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
      [Symbol.dispose]: () => agent.destroy(),
    });
    const content = Buffer.alloc(3_000_000, 'x');
    const locals = new Set<number | undefined>();
    const cases: { method: string; headers: Record<string, string>; body: Buffer; said: string; end: string }[] = [
      { method: 'POST', headers: {}, body: content, said: `${content.length} by chunked`, end: 'x-sum=42' },
      {
        method: 'DELETE',
        headers: { 'Transfer-Encoding': 'chunked' },
        body: content,
        said: '3000000 by chunked',
        end: 'x-sum=42',
      },
      {
        method: 'PUT',
        headers: { 'Content-Length': '3000000' },
        body: content,
        said: '3000000 by 3000000',
        end: 'none',
      },
      { method: 'POST', headers: { 'Content-Length': '0' }, body: Buffer.alloc(0), said: '0 by 0', end: 'none' },
      { method: 'GET', headers: {}, body: Buffer.alloc(0), said: '0 by nothing', end: 'none' },
    ];
    for (const { method, headers, body, said, end } of cases) {
      const chunked = said.endsWith('chunked');
      const asked = ask({ agent, method, headers: { ...headers, ...(chunked ? { Trailer: 'X-Sum' } : {}) } });
      asked.on('socket', (socket: Socket) => socket.once('connect', () => locals.add(socket.localPort)));
      if (body.length > 0) asked.write(body);
      if (chunked) asked.addTrailers({ 'X-Sum': '42' });
      asked.end();
      const response = await answered(asked);
      const received = await buffer(response);
      assert.equal(response.headers['x-body'], said, method);
      assert.ok(received.equals(body), method);
      assert.equal(response.trailers['x-end']?.toLowerCase(), end, method);
    }
    assert.equal(locals.size, 1);
  });

  it('passes on what comes before the answer', async () => {
    answer = async (req, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      res.writeContinue();
      res.end(`got ${await text(req)}`);
    };
    const asked = ask({ method: 'PUT', headers: { Expect: '100-continue', 'Content-Length': '5' } });
    asked.flushHeaders();
    const hints = once(asked, 'information') as Promise<[{ statusCode: number; headers: Record<string, string> }]>;
    await once(asked, 'continue');
    const [{ statusCode, headers }] = await hints;
    assert.deepEqual([statusCode, headers['link']], [103, '</style.css>; rel=preload']);
    asked.end('hello');
    assert.equal(await text(await answered(asked)), 'got hello');

    answer = (_req, res) => void res.writeHead(413).end('too much');
    const refused = ask({ method: 'PUT', headers: { Expect: '100-continue', 'Content-Length': '5000000000' } });
    refused.on('continue', () => assert.fail('it was told to go on'));
    refused.flushHeaders();
    const response = await answered(refused);
    assert.deepEqual([response.statusCode, await text(response)], [413, 'too much']);
    refused.destroy();
  });

  it('passes an answer on while the upload still flows', async () => {
    answer = (req, res) => {
      res.write('begun ');
      req.once('data', () => res.end('seen'));
      req.resume();
    };
    const asked = ask({ method: 'POST' });
    asked.flushHeaders();
    const response = await answered(asked);
    asked.write('first');
    assert.equal(await text(response), 'begun seen');
    asked.end();
  });

  it('an answer that breaks off breaks for the client; a client that goes is gone for the app', async () => {
    answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('half');
      res.once('drain', () => {});
      setImmediate(() => res.destroy());
    };
    await assert.rejects(async () => text(await answered(ask().end())));

    const gone = Promise.withResolvers<void>();
    answer = (req) => {
      req.once('close', () => gone.resolve());
    };
    const leaving = ask().end();
    leaving.on('error', () => {});
    await once(leaving, 'finish');
    await once(app, 'request');
    leaving.destroy();
    await gone.promise;
  });

  it('WebSockets: bytes both ways, also those behind the handshake; a refusal is an answer', async () => {
    let seen: IncomingMessage | undefined;
    const join = (req: IncomingMessage, socket: Socket, head: Buffer) => {
      seen = req;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: 1\r\n\r\nfirst ',
      );
      socket.write(head);
      socket.pipe(socket);
    };
    app.on('upgrade', join);
    const lines = ['GET /ws HTTP/1.1', `Host: localhost:${port}`, `Origin: http://localhost:${port}`];
    const handshake = [...lines, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', '', ''].join(
      '\r\n',
    );
    const socket = connect(port, '127.0.0.1');
    socket.write(`${handshake}early `);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (received.endsWith('early ')) socket.end('late');
    });
    await once(socket, 'close');
    assert.match(received, /^HTTP\/1\.1 101 [\s\S]*X-A: 1\r\n\r\nfirst early late$/);
    assert.equal(seen?.headers['postern-token'], 'pst_1');
    assert.equal(seen?.headers.origin, origin);
    app.off('upgrade', join);

    app.on('upgrade', (_req, refusing: Socket) =>
      refusing.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    );
    const refused = connect(port, '127.0.0.1');
    refused.write(handshake);
    assert.match(await text(refused), /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*\r\n\r\nno$/);
    app.removeAllListeners('upgrade');
  });

  it('a kept connection that is gone is no failure for what may be repeated', async () => {
    answer = echo;
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await get()).status, 200);
      app.closeIdleConnections();
      assert.equal((await get()).status, 200);
      assert.equal((await get({}, { method: 'POST' })).status, 200);
    }
  });

  it('takes a new token when the relay knows the old one no more, and says what stands in the way of one', async () => {
    const unknown = (res: ServerResponse) => res.writeHead(401, { 'www-authenticate': 'Bearer realm="postern"' }).end();
    answer = (req, res) => void (req.headers['postern-token'] === 'pst_1' ? unknown(res) : res.end('in'));
    assert.equal(issued, 1);
    const [one, two] = await Promise.all([get(), get()]);
    assert.deepEqual([one.body, two.body, issued], ['in', 'in', 2]);

    // What has a body cannot be sent again: the next one has the new token.
    answer = (req, res) => void (req.headers['postern-token'] === 'pst_2' ? unknown(res) : res.end('in'));
    const post = async () => {
      const asked = ask({ method: 'POST' });
      asked.end('body');
      return (await answered(asked)).resume().statusCode;
    };
    assert.deepEqual([await post(), await post(), issued], [401, 200, 3]);

    answer = (_req, res) => void unknown(res);
    refusal = new PosternError('unauthenticated', 'You are signed out. Run: postern login');
    const { status, body } = await get();
    assert.deepEqual([status, body], [401, 'postern: You are signed out. Run: postern login\n']);
    assert.equal(failures.at(-1), refusal);
    refusal = undefined;
  });
});

it('a relay that is not there is 502 with a reason', { timeout: 20_000 }, async () => {
  const failures: unknown[] = [];
  const token = { current: () => Promise.resolve(new Secret('pst_x')), refused() {} };
  await using listener = await serveHttp(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      origin: 'http://wiki.postern.localhost:9',
      token,
      failed: (error) => void failures.push(error),
      signal: new AbortController().signal,
    },
  );
  const response = await fetch(`http://${listener.address}/`);
  assert.equal(response.status, 502);
  assert.match(await response.text(), /Nothing listens at wiki\.postern\.localhost:9/);
  assert.equal(failures.length, 1);
});

it('a Unix socket takes whatever Host its clients write, and still nothing from pages', async () => {
  const app = createServer((req, res) => res.end(req.headers.host));
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  const host = `127.0.0.1:${(app.address() as AddressInfo).port}`;
  const directory = mkdtempSync(join(tmpdir(), 'postern-http-'));
  try {
    const token = { current: () => Promise.resolve(new Secret('pst_x')), refused() {} };
    const path = join(directory, 'app.sock');
    const signal = new AbortController().signal;
    await using _listener = await serveHttp(
      { kind: 'unix', path },
      { origin: `http://${host}`, token, failed() {}, signal },
    );
    const get = async (headers: Record<string, string>) => {
      const [response] = (await once(request({ socketPath: path, headers }).end(), 'response')) as [IncomingMessage];
      return [response.statusCode, await text(response)];
    };
    assert.deepEqual(await get({ Host: 'docker' }), [200, host]);
    assert.equal((await get({ Host: 'docker', Origin: 'https://evil.example' }))[0], 403);
  } finally {
    app.closeAllConnections();
    app.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

it('who does not finish their headers is cut off', { timeout: 30_000 }, async () => {
  const token = { current: () => Promise.reject(new Error('not asked for')), refused() {} };
  await using listener = await serveHttp(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    { origin: 'http://127.0.0.1:9', token, failed() {}, signal: new AbortController().signal },
    { headersTimeout: 100, connectionsCheckingInterval: 20 },
  );
  const slow = connect(listener.port ?? 0, '127.0.0.1');
  slow.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  slow.resume();
  await once(slow, 'close');
});
