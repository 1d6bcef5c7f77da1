import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createRawTarget, type RawTarget } from './raw-target.ts';
import { asAlice, createWorld, HOST, type World } from './world.ts';

const COOKIE = `Cookie: ${asAlice.Cookie}\r\n`;

/** The gateway before a target that answers with these bytes and then does this. */
async function before(bytes: string, then: (socket: Socket) => void = () => undefined): Promise<World & RawWorld> {
  const raw = await createRawTarget((socket) => socket.write(bytes, 'latin1', () => then(socket)));
  const world = await createWorld(() => undefined);
  world.dialPort = raw.port;
  const dispose = world[Symbol.asyncDispose].bind(world);
  return Object.assign(world, {
    targetBytes: raw,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await dispose();
    },
  });
}

interface RawWorld {
  readonly targetBytes: RawTarget;
}

function get(world: World, version = '1.1', more = '', enough?: (answer: string) => boolean): Promise<string> {
  return world.raw(`GET / HTTP/${version}\r\nHost: ${HOST}\r\n${COOKIE}Connection: close\r\n${more}\r\n`, enough);
}

/** A target that goes on once the client has what it said so far: what comes in one read is one to the relay. */
async function beforeInTwo(first: string, seen: string, goOn: (socket: Socket) => void) {
  let atTarget: Socket | undefined;
  const world = await before(first, (socket) => {
    atTarget = socket;
  });
  const onText = (answer: string): false => {
    if (atTarget === undefined || !answer.includes(seen)) return false;
    goOn(atTarget);
    atTarget = undefined;
    return false;
  };
  return Object.assign(world, { getInTwo: () => get(world, '1.1', '', onText), onText });
}

const end = (socket: Socket) => void socket.end();
const reset = (socket: Socket) => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy());

describe('answers of targets', () => {
  it('of HTTP/1.0, and those that end by closing, arrive whole and well framed', async () => {
    for (const version of ['1.0', '1.1']) {
      await using world = await before(
        `HTTP/${version} 200 OK\r\nX-Own: a\r\nConnection: close\r\n\r\nto the end`,
        end,
      );
      assert.match(
        await get(world),
        /^HTTP\/1\.1 200 OK\r\n[^]*Transfer-Encoding: chunked\r\n\r\na\r\nto the end\r\n0\r\n\r\n$/i,
      );
      assert.equal((await world.audit.outcomeOf(0)).end, 'completed');
    }
    await using world = await before('HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nfives');
    assert.match(await get(world), /\r\n\r\nfives$/);
  });

  it('without a body say no length of one, and what follows all the same is nobody’s answer', async () => {
    await using world = await before('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-Own: a\r\n\r\nHELLO');
    const answer = await get(world);
    assert.match(answer, /^HTTP\/1\.1 204 No Content\r\n[^]*X-Own: a\r\n/);
    assert.doesNotMatch(answer, /content-length|HELLO/i);
  });

  it('that are cut are broken for the client, never short and whole', async () => {
    const heads = [
      ['with length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', ''],
      ['with length, closing', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n', ''],
      ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\n'],
      ['chunked, closing', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n', '5\r\n'],
      ['to the end', 'HTTP/1.1 200 OK\r\n\r\n', ''],
      ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', ''],
    ] as const;
    for (const [what, head, frame] of heads) {
      for (const [how, cut] of [
        ['FIN', end],
        ['RST', reset],
      ] as const) {
        // Without a length, an end in order is the end.
        if (how === 'FIN' && /to the end|1\.0/.test(what)) continue;
        await using world = await beforeInTwo(`${head}${frame}begun`, 'begun', cut);
        const answer = await world.getInTwo();
        assert.match(answer, /begun/, `${what}, ${how}`);
        assert.doesNotMatch(answer, /0\r\n\r\n$/, `${what}, ${how}`);
        assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed', `${what}, ${how}`);
      }
    }
  });

  it('that are cut are a reset for a client of HTTP/1.0, which knows no other sign', async () => {
    const begun = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n';
    await using world = await beforeInTwo(begun, 'begun', end);
    const client = connect(world.port, '127.0.0.1');
    client.write(`GET / HTTP/1.0\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
    client.setEncoding('latin1').on('data', world.onText);
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('that can be read in two ways, or are none, are 502', async () => {
    const corpus = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!',
      'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nX-A: b\rContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/9.9 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      `HTTP/1.1 200 OK\r\nX-A: ${'b'.repeat(70_000)}\r\nContent-Length: 5\r\n\r\nhello`,
      '<html>hello</html>\r\n\r\n',
      '\r\n\r\n',
    ];
    for (const bytes of corpus) {
      await using world = await before(bytes, end);
      const answer = await get(world);
      assert.match(answer, /^HTTP\/1\.1 502 /, JSON.stringify(bytes.slice(0, 80)));
      assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed');
    }
  });

  it('with chunks that are none are 502, and break where some of them is on its way already', async () => {
    const begin = 'HTTP/1.1 200 OK\r\nX-Own: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const chunk of ['ZZ\r\nhello\r\n', '5 ;\r\nhello', '-5\r\nhello\r\n', '5\r\nhelloworld\r\n', '5\nhello\r\n']) {
      for (const sound of ['', '3\r\nabc\r\n']) {
        await using world = await before(`${begin}${sound}${chunk}`, end);
        const answer = await get(world);
        assert.match(answer, /^HTTP\/1\.1 502 /, chunk);
        assert.doesNotMatch(answer, /X-Own|abc/, chunk);
        const { end: how, status, bytesDown } = await world.audit.outcomeOf(0);
        assert.deepEqual({ how, status, bytesDown }, { how: 'target_closed', status: undefined, bytesDown: 0 }, chunk);
      }
      await using world = await beforeInTwo(`${begin}3\r\nabc\r\n`, 'abc', (socket) => socket.end(chunk));
      const answer = await world.getInTwo();
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n3\r\nabc\r\n$/, chunk);
      assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed', chunk);
    }
  });

  it('that say 103 reach clients that know it, without our cookies or fields of the hop', async () => {
    const early =
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: __Host-postern-session=x\r\nKeep-Alive: 5\r\n\r\n';
    const bytes = `${early.repeat(20)}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`;
    await using world = await before(bytes);
    const answer = await get(world);
    assert.match(answer, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1\.1 /);
    assert.equal(answer.match(/ 103 /g)?.length, 16, 'bounded');
    assert.match(answer, /HTTP\/1\.1 200 OK\r\n[^]*hello$/);
    assert.doesNotMatch(await get(world, '1.0'), / 103 /);
  });

  it('have trailers for clients that take them, of the kind that may come late', async () => {
    const bytes =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\nSet-Cookie: a=b\r\nCache-Control: private\r\nX-Postern-Assertion: x\r\n\r\n';
    await using world = await before(bytes);
    assert.match(await get(world, '1.1', 'TE: trailers\r\n'), /5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n$/);
    assert.match(await get(world), /5\r\nhello\r\n0\r\n\r\n$/);
  });
});

describe('answers that come before the request has ended', () => {
  for (const [how, close] of [
    ['ends', end],
    ['closes', (socket: Socket) => void socket.destroy()],
    ['resets', reset],
  ] as const)
    it(`arrive whole, also when the target then ${how} its connection on what it has not read`, async () => {
      const bytes = 'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large';
      await using world = await before(bytes, close);
      const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nContent-Length: 9000000\r\n\r\n`;
      const answer = await world.raw(Buffer.concat([Buffer.from(post), Buffer.alloc(2_000_000)]), (text) =>
        text.endsWith('too large'),
      );
      assert.match(answer, /^HTTP\/1\.1 413 Too Large\r\n[^]*\r\n\r\ntoo large$/);
      assert.equal((await world.audit.outcomeOf(0)).status, 413);
    });
});

describe('requests', () => {
  it('reach the target without their trailers', async () => {
    await using world = await before('HTTP/1.1 204 No Content\r\n\r\n');
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nConnection: close\r\n`;
    const trailers = 'X-Postern-Assertion: forged\r\nRemote-User: eve\r\nX-Sum: 42\r\n';
    await world.raw(`${post}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`);
    const received = world.targetBytes.received();
    assert.match(received, /5\r\nhello\r\n0\r\n\r\n$/);
    assert.doesNotMatch(received, /forged|eve|X-Sum/);
  });

  it('that are unsafe are never sent twice, wherever the target dies', async () => {
    for (const bytes of ['', 'HTTP/1.1 ', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe']) {
      let answered = 0;
      const raw = await createRawTarget((socket) => {
        answered += 1;
        if (answered === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else socket.destroy();
        socket.once('data', () => socket.write(bytes, () => socket.destroy()));
      });
      await using world = await createWorld(() => undefined);
      world.dialPort = raw.port;
      const headers = { ...asAlice, Origin: world.origin };
      assert.equal((await world.get('/first', headers, 'POST')).status, 200);
      await world.get('/second', headers, 'POST').catch(() => undefined);
      assert.equal(raw.received().match(/POST \/second/g)?.length, 1, JSON.stringify(bytes));
      assert.equal((await world.audit.outcomeOf(1)).end, 'target_closed');
      await raw[Symbol.asyncDispose]();
    }
  });

  it('and answers flow at the same time: the target answers while the upload goes on', async () => {
    await using world = await createWorld((req, res) => {
      res.writeHead(200);
      req.on('data', (chunk: Buffer) => res.write(chunk.toString().toUpperCase()));
      req.on('end', () => res.end('!'));
    });
    const client = connect(world.port, '127.0.0.1');
    let answer = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    const until = async (text: string) => {
      while (!answer.includes(text)) await once(client, 'data');
    };
    client.write(
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (const word of ['one', 'two', 'six']) {
      client.write(`3\r\n${word}\r\n`);
      await until(word.toUpperCase());
    }
    client.write('0\r\n\r\n');
    await until('!');
    assert.equal((await world.audit.outcomeOf(0)).end, 'completed');
    client.destroy();
  });
});
