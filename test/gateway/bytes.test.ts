import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRequestTarget } from '../../src/domain/request-path.ts';
import { asAlice, createWorld, HOST } from './world.ts';

const COOKIE = `Cookie: ${asAlice.Cookie}\r\n`;

describe('one reading', () => {
  it('is the same path for policy, log and target, byte for byte, or none', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        ';',
        '%2F',
        '%2e',
        '%25',
        '%',
        '\\',
        '%5c',
        '?',
        '#',
        '@',
        ':',
        '%00',
        '%zz',
      ),
      fc.stringMatching(/^[!-~]{0,6}$/),
    );
    const target = fc.array(piece, { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`);
    await fc.assert(
      fc.asyncProperty(target, async (url) => {
        const before = world.seen.length;
        const answer = await world.raw(`GET ${url} HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Connection: close\r\n\r\n`);
        const path = parseRequestTarget(url);
        if (typeof path === 'string') {
          assert.match(answer, /^HTTP\/1\.1 400 /);
          assert.equal(world.seen.length, before);
          return;
        }
        if (path.segments[0] === '.postern') return;
        assert.match(answer, /^HTTP\/1\.1 200 /);
        assert.equal(world.seen.length, before + 1);
        assert.equal(world.seen.at(-1)?.url, url);
        assert.equal(world.checks.at(-1)?.action.path.raw, path.raw);
        assert.equal(world.checks.at(-1)?.action.path.query, path.query);
        assert.equal(world.audit.intents.at(-1)?.personal?.path, path.raw);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses what could be read in two ways, closes, and the target sees nothing', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const line = 'GET / HTTP/1.1\r\n';
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\n`;
    const corpus = [
      `${line}${COOKIE}\r\n`,
      `${line}Host: ${HOST}\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `${line}Host: ${HOST}\r\nhost: other.test\r\n${COOKIE}\r\n`,
      `${line}Host: relay.test\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `${line}Host: a@${HOST}\r\n${COOKIE}\r\n`,
      `${line}Host:\r\n${COOKIE}\r\n`,
      `${line}Host: ${HOST}/x\r\n${COOKIE}\r\n`,
      `${line}Host: ${HOST} other\r\n${COOKIE}\r\n`,
      `${line}Host: ${HOST}:80:80\r\n${COOKIE}\r\n`,
      `${line}Host: ${HOST}\r\nX-A: b\r\n c\r\n${COOKIE}\r\n`,
      `${line}Host : ${HOST}\r\n${COOKIE}\r\n`,
      `GET / HTTP/1.1\nHost: ${HOST}\n\n`,
      `TRACE / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `CONNECT ${HOST}:80 HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `OPTIONS * HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `GET http://${HOST}/ HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`,
      `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: identity\r\n\r\n`,
      `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
      `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      `${post}Content-Length: 1, 1\r\n\r\na`,
      `${post}Content-Length: +1\r\n\r\na`,
      `${post}Content-Length: 0x1\r\n\r\na`,
      `${post}Expect: something\r\nContent-Length: 1\r\n\r\na`,
      `${line}Host: ${HOST}\r\n${COOKIE}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello`,
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      `${line}Host: ${HOST}\r\n${COOKIE}${'X-A: b\r\n'.repeat(200)}\r\n`,
      `${line}Host: ${HOST}\r\n${COOKIE}X-A: ${'b'.repeat(40_000)}\r\n\r\n`,
    ];
    for (const bytes of corpus) {
      const answer = await world.raw(bytes);
      assert.match(answer, /^HTTP\/1\.1 (?:400|413|417|431|501) /, JSON.stringify(bytes.slice(0, 200)));
    }
    assert.equal(world.seen.length + world.streams.length, 0);
    assert.equal(world.audit.events.length, 0);
  });

  it('refuses bodies that are cut or wrongly chunked after the target has begun to read', async () => {
    await using world = await createWorld((req, res) => {
      req.on('error', () => undefined);
      req.resume();
      req.on('end', () => res.end());
    });
    const post = `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${world.origin}\r\n`;
    const answer = await world.raw(`${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal((await world.audit.outcomeOf(0)).end, 'client_closed');
  });
});

describe('the header fields', () => {
  it('never carry to the target what is reserved, of the hop, or ours', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const reserved = [
      'X-Postern-Assertion',
      'x_postern_assertion',
      'X-POSTERN-anything',
      'X.Postern.Assertion',
      'X-Request-Id',
      'x_request_id',
      'X-Forwarded-For',
      'x_forwarded_for',
      'X-Forwarded-User',
      'X_FORWARDED-Host',
      'Forwarded',
      'Remote-User',
      'Remote_User',
      'REMOTE_USER',
      'X_Name',
      'X-Real-IP',
      'TE',
      'Trailer',
      'Keep-Alive',
      'Proxy-Authorization',
      'Proxy-Connection',
      'HTTP2-Settings',
      'X-Listed',
    ];
    const answer = await world.raw(
      `GET / HTTP/1.1\r\nHost: ${HOST}:81\r\n${reserved.map((name) => `${name}: forged\r\n`).join('')}` +
        `Connection: close, x-listed, Host, X-Postern-Assertion\r\nX-Kept: a  b\r\nx-kept: c\r\nAuthorization: Basic eA==\r\n` +
        `Cookie: a=1;  b="x y" ;__Host-postern-session=alice; __Host-postern-flow-1=z;c=%3B\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const raw = world.seen[0]?.rawHeaders ?? [];
    assert.ok(!raw.includes('forged'), raw.join('|'));
    const valuesOf = (name: string) => raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
    assert.deepEqual(valuesOf('cookie'), ['a=1;  b="x y" ;c=%3B']);
    assert.deepEqual(valuesOf('x-kept'), ['a  b', 'c']);
    assert.deepEqual(valuesOf('authorization'), ['Basic eA==']);
    assert.deepEqual(valuesOf('host'), [`${HOST}:81`]);
    assert.deepEqual(valuesOf('x-postern-assertion'), ['assertion-of-alice']);
    assert.deepEqual(valuesOf('x-request-id'), [world.audit.intents[0]?.id]);
    assert.deepEqual(valuesOf('x-forwarded-host'), [`${HOST}:81`]);
    assert.deepEqual(valuesOf('x-forwarded-proto'), ['http']);
    assert.match(valuesOf('x-forwarded-for')[0] ?? '', /127\.0\.0\.1$/);
    assert.deepEqual(valuesOf('remote-user'), ['alice@example.com']);
    assert.deepEqual(valuesOf('x-name'), ['alice %C3%A9']);
    assert.deepEqual(valuesOf('x-groups'), ['staff,a%2Cb']);
    assert.deepEqual(valuesOf('connection'), ['keep-alive']);
  });

  it('never carry tokens of ours to the target', async () => {
    await using world = await createWorld((_req, res) => res.end());
    await world.get('/', { Authorization: 'Bearer pst_alice' });
    await world.get('/', { 'Postern-Token': 'pst_alice', Authorization: 'Bearer of-the-app' });
    assert.ok(!world.seen.some(({ rawHeaders }) => rawHeaders.some((text) => text.includes('pst_'))));
    assert.ok(world.seen[1]?.rawHeaders.includes('Bearer of-the-app'));
  });

  it('come back with every Set-Cookie but ours, and cannot clear cookies', async () => {
    await using world = await createWorld((_req, res) => {
      res.writeHead(200, 'Fine', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        '__Host-postern-session=stolen; Path=/; Secure',
        'set-cookie',
        ' __host-Postern-flow-x=1',
        'Set-Cookie',
        'b=2',
        'Clear-Site-Data',
        '"cache", "cookies"',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
        'X-Kept',
        '1',
      ]);
      res.end();
    });
    const answer = await world.get('/', asAlice);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['clear-site-data'], '"cache"');
    assert.equal(answer.headers['x-hop'], undefined);
    assert.equal(answer.headers['x-kept'], '1');
  });
});
