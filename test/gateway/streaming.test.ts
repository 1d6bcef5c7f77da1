import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { asAlice, createWorld, HOST, type World } from './world.ts';

const COOKIE = `Cookie: ${asAlice.Cookie}\r\n`;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

async function open(world: World, path: string, headers = {}): Promise<IncomingMessage> {
  const sent = request({ port: world.port, path, agent: false, headers: { Host: HOST, ...asAlice, ...headers } });
  sent.end();
  sent.on('error', () => undefined);
  const [res] = (await once(sent, 'response')) as [IncomingMessage];
  res.on('error', () => undefined);
  return res;
}

describe('answers', () => {
  it('pass HEAD, 304, 204, ranges and reasons as the target gave them', async () => {
    await using world = await createWorld((req, res) => {
      if (req.url === '/304') res.writeHead(304, { ETag: '"v1"' });
      else if (req.url === '/204') res.writeHead(204);
      else if (req.headers.range)
        res.writeHead(206, { 'Content-Range': 'bytes 0-1/5', 'Content-Length': 2 }).write('he');
      else res.writeHead(200, 'Very Fine', { 'Content-Length': 5 });
      res.end(req.method === 'HEAD' || req.headers.range || req.url !== '/' ? undefined : 'hello');
    });
    const head = await world.get('/', asAlice, 'HEAD');
    assert.equal(head.headers['content-length'], '5');
    assert.equal(head.body, '');
    const notModified = await world.get('/304', { ...asAlice, 'If-None-Match': '"v1"' });
    assert.equal(notModified.status, 304);
    assert.equal(notModified.headers.etag, '"v1"');
    assert.ok(world.seen[1]?.rawHeaders.includes('If-None-Match'));
    assert.equal((await world.get('/204', asAlice)).status, 204);
    const part = await world.get('/', { ...asAlice, Range: 'bytes=0-1' });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], 'bytes 0-1/5');
    assert.equal(part.body, 'he');
    const raw = await world.raw(`GET / HTTP/1.0\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
    assert.match(raw, /^HTTP\/1\.1 200 Very Fine\r\n[^]*\r\n\r\nhello$/);
  });

  it('reach the client event by event, headers first', async () => {
    let say: ((text: string) => void) | undefined;
    await using world = await createWorld((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.flushHeaders();
      say = (text) => res.write(text);
    });
    const res = await open(world, '/events');
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      say?.(text);
      const [chunk] = (await once(res, 'data')) as [Buffer];
      assert.equal(chunk.toString(), text);
    }
    res.destroy();
    assert.equal((await world.audit.outcomeOf(0)).end, 'client_closed');
  });

  it('hold the target back while the client does not read', async () => {
    let written = 0;
    let stalled: (() => void) | undefined;
    const stall = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    const total = 48 * 1024 * 1024;
    await using world = await createWorld((_req, res) => {
      res.writeHead(200, { 'Content-Length': total });
      const more = () => {
        while (written < total) {
          written += CHUNK.length;
          if (!res.write(CHUNK)) {
            // Nothing moved for a while: everyone between is full.
            const at = written;
            const look = setTimeout(() => at === written && stalled?.(), 400);
            res.once('drain', () => {
              clearTimeout(look);
              more();
            });
            return;
          }
        }
        res.end();
      };
      more();
    });
    const res = await open(world, '/big');
    res.pause();
    await stall;
    assert.ok(written < 36 * 1024 * 1024, `${written} bytes went into buffers`);
    let got = 0;
    res.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    res.resume();
    await once(res, 'end');
    assert.equal(got, total);
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.end, 'completed');
    assert.equal(outcome.bytesDown, total);
  });

  it('end at the target when the client cancels', async () => {
    let targetClosed: (() => void) | undefined;
    const cancelled = new Promise<void>((resolve) => {
      targetClosed = resolve;
    });
    await using world = await createWorld((_req, res) => {
      const tick = setInterval(() => res.write(CHUNK), 1);
      res.on('close', () => {
        clearInterval(tick);
        targetClosed?.();
      });
    });
    const res = await open(world, '/endless');
    await once(res, 'data');
    res.destroy();
    await cancelled;
    assert.equal((await world.audit.outcomeOf(0)).end, 'client_closed');
  });

  it('break at the client when the target dies in mid-body, with and without length', async () => {
    await using world = await createWorld((req, res) => {
      if (req.url === '/length') res.writeHead(200, { 'Content-Length': 1000 });
      res.write('begun', () => req.socket.destroy());
    });
    for (const [at, path] of ['/length', '/chunked'].entries()) {
      const raw = await world.raw(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
      assert.match(raw, /begun/);
      assert.doesNotMatch(raw, /\r\n0\r\n\r\n$/);
      assert.equal((await world.audit.outcomeOf(at)).end, 'target_closed');
    }
  });

  it('are 502 when the target breaks off before it answers, or answers nonsense', async () => {
    await using world = await createWorld((req) => {
      if (req.url === '/nonsense') req.socket.end('SSH-2.0-OpenSSH\r\n\r\n');
      else req.socket.destroy();
    });
    for (const path of ['/', '/nonsense']) {
      const answer = await world.get(path, asAlice);
      assert.equal(answer.status, 502, path);
      assert.equal(JSON.parse(answer.body).code, 'target_unreachable');
    }
    assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed');
    assert.equal(world.seen.length, 2, 'nothing was sent twice');
  });
});

describe('bodies of requests', () => {
  it('reach the target in every framing, empty and large', async () => {
    await using world = await createWorld((req, res) => {
      let size = 0;
      req.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      req.on('end', () => res.end(`${req.headers['transfer-encoding'] ?? req.headers['content-length']} ${size}`));
    });
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: close\r\n`;
    const body = async (rest: string) => /\r\n\r\n(?:[0-9a-f]+\r\n)?([^\r]*)/.exec(await world.raw(post + rest))?.[1];
    assert.equal(await body('Content-Length: 5\r\n\r\nhello'), '5 5');
    assert.equal(await body('Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'), 'chunked 5');
    assert.equal(await body('Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), 'chunked 0');
    assert.equal(await body('Content-Length: 0\r\n\r\n'), '0 0');
    assert.equal(await body('\r\n'), '0 0');
    const size = 24 * 1024 * 1024;
    assert.equal(await body(`Content-Length: ${size}\r\n\r\n${'y'.repeat(size)}`), `${size} ${size}`);
    assert.equal((await world.audit.outcomeOf(5)).bytesUp, size);
  });

  it('wait in the client while the target does not read', async () => {
    let written = 0;
    const total = 48 * 1024 * 1024;
    let read: (() => void) | undefined;
    await using world = await createWorld((req, res) => {
      read = () => req.resume();
      req.on('end', () => res.end('all'));
    });
    const sent = request({
      port: world.port,
      method: 'PUT',
      agent: false,
      headers: { Host: HOST, ...asAlice, Origin: world.origin, 'Content-Length': total },
    });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    await new Promise<void>((stalled) => {
      const more = () => {
        while (written < total) {
          written += CHUNK.length;
          if (sent.write(CHUNK)) continue;
          const look = setTimeout(stalled, 400);
          sent.once('drain', () => {
            clearTimeout(look);
            more();
          });
          return;
        }
        sent.end();
      };
      more();
    });
    assert.ok(written < 36 * 1024 * 1024, `${written} bytes went into buffers`);
    read?.();
    const [res] = await answered;
    res.resume();
    await once(res, 'end');
    assert.equal((await world.audit.outcomeOf(0)).bytesUp, total);
  });

  it('are asked for only after the decision (100-continue)', async () => {
    await using world = await createWorld((req, res) => {
      req.resume();
      req.on('end', () => res.end('done'));
    });
    const head = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
    const socket = connect(world.port, '127.0.0.1');
    socket.write(head);
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 100 Continue/);
    assert.equal(world.audit.intents.length, 1);
    socket.write('ok');
    const [second] = (await once(socket, 'data')) as [Buffer];
    assert.match(second.toString(), /200 OK[^]*done/);
    socket.destroy();
    world.decide = () => ({ effect: 'deny' });
    const denied = await world.raw(head);
    assert.match(denied, /^HTTP\/1\.1 403 /);
    assert.match(denied, /connection: close/i);
  });

  it('are asked for and arrive whole where they are large, and are not asked for where they are too large', async () => {
    await using world = await createWorld((req, res) => {
      let size = 0;
      req.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      req.on('end', () => res.end(`${size} came`));
    });
    const size = 24 * 1024 * 1024;
    const upload = async () => {
      const headers = { Host: HOST, ...asAlice, Origin: world.origin, 'Content-Length': size, Expect: '100-continue' };
      const sent = request({ port: world.port, method: 'PUT', agent: false, headers });
      let wasAsked = false;
      sent.on('continue', () => {
        wasAsked = true;
        sent.end(Buffer.alloc(size, 'z'));
      });
      sent.flushHeaders();
      const [res] = (await once(sent, 'response')) as [IncomingMessage];
      const text = await res.setEncoding('utf8').reduce((all: string, part: string) => all + part, '');
      sent.destroy();
      return { wasAsked, status: res.statusCode, text };
    };
    assert.deepEqual(await upload(), { wasAsked: true, status: 200, text: `${size} came` });
    world.resource({ bodyLimitBytes: size - 1 });
    const { wasAsked, status } = await upload();
    assert.deepEqual({ wasAsked, status }, { wasAsked: false, status: 413 });
    assert.equal(world.seen.length, 1, 'the target saw the first alone');
  });

  it('end the request where the client ends its side before the answer: nobody waits for it any more', async () => {
    const begun = Promise.withResolvers<void>();
    const cut = Promise.withResolvers<void>();
    await using world = await createWorld((req) => {
      req.socket.once('close', () => cut.resolve());
      req.resume().on('end', () => begun.resolve());
    });
    const client = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nContent-Length: 2\r\n\r\nhi`);
    await begun.promise;
    client.end();
    await cut.promise;
    assert.equal((await world.audit.outcomeOf(0)).end, 'client_closed');
  });

  it('may be cut short by an early answer', async () => {
    await using world = await createWorld((_req, res) => {
      res.writeHead(413, { Connection: 'close' });
      res.end('too large');
    });
    const raw = await world.raw(
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nContent-Length: 100000\r\n\r\nstart`,
      (answer) => answer.includes('too large'),
    );
    assert.match(raw, /^HTTP\/1\.1 413 /);
    assert.equal((await world.audit.outcomeOf(0)).status, 413);
  });
});
