import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BadAnswerError } from '../../../src/gateway/target/http/bad-answer.ts';
import { cut, type ReadAnswer, readAnswer } from './read-answer.ts';

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const decides = /^(?:content-length|transfer-encoding|connection|upgrade|keep-alive|trailer|set-cookie)$/i;
const field = fc
  .tuple(
    token.filter((name) => !decides.test(name)),
    value,
    fc.constantFrom('', ' ', '\t', '  '),
    fc.constantFrom('', ' ', '\t '),
  )
  .map(([name, content, before, after]) => ({ name, content, line: `${name}:${before}${content}${after}\r\n` }));

const chunks = fc.array(
  latin1.filter((data) => data !== ''),
  { maxLength: 4 },
);
const extension = fc.constantFrom('', ';a', ';a=b', ';a="b c"');

/** A well-formed answer with what a reader must make of it. */
const wellFormed = fc
  .record({
    status: fc.constantFrom(200, 201, 204, 206, 302, 304, 404, 500),
    reason: fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,10}$/),
    fields: fc.array(field, { maxLength: 6 }),
    framing: fc.constantFrom('length', 'chunked', 'closed'),
    body: latin1,
    parts: chunks,
    extension,
    trailers: fc.array(field, { maxLength: 2 }),
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
  })
  .map((answer) => {
    const { status, reason, fields, framing, body, parts, method } = answer;
    const silent = method === 'HEAD' || status === 204 || status === 304;
    const head = `HTTP/1.1 ${status} ${reason}\r\n${fields.map(({ line }) => line).join('')}`;
    const coded = parts.map((part) => `${part.length.toString(16)}${answer.extension}\r\n${part}\r\n`).join('');
    const trailers = answer.trailers.map(({ line }) => line).join('');
    const bytes =
      framing === 'chunked'
        ? `${head}Transfer-Encoding: chunked\r\n\r\n${silent ? '' : `${coded}0\r\n${trailers}\r\n`}`
        : framing === 'length'
          ? `${head}Content-Length: ${body.length}\r\n\r\n${silent ? '' : body}`
          : `${head}Connection: close\r\n\r\n${silent ? '' : body}`;
    return { bytes, method };
  });

/** Some bytes less and some more, anywhere. */
const breakage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(
    latin1.map((bytes) => bytes.slice(0, 2)),
    fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      ' ',
      ':',
      '\r\n\r\n',
      ';',
      ',',
      '0',
      'f',
      '\0',
      'chunked',
      '\r\nContent-Length: 3\r\n',
    ),
  ),
});

/** The same bytes as Node's own client reads them. */
async function asNodeReads(bytes: string, method: string) {
  const [ours, theirs] = duplexPair();
  const sent = request({ method, createConnection: () => ours });
  // Also what comes after `once` has its answer.
  sent.on('error', () => undefined);
  sent.end();
  theirs.resume().end(Buffer.from(bytes, 'latin1'));
  const [response] = await once(sent, 'response');
  response.setEncoding('latin1');
  const body = await text(response);
  const { statusCode, statusMessage, rawHeaders, rawTrailers } = response;
  return { status: statusCode, reason: statusMessage, fields: rawHeaders, body, trailers: rawTrailers };
}

describe('well-formed answers', () => {
  it("are read as Node's own client reads them, wherever they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        wellFormed,
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
        async ({ bytes, method }, lengths) => {
          const expected = await asNodeReads(bytes, method);
          const read = readAnswer(cut(bytes, lengths), { method, ends: true });
          const { status, reason, fields } = read.head ?? {};
          assert.deepEqual({ status, reason, fields, body: read.body, trailers: [...read.trailers] }, expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('and broken ones: what is accepted at all is accepted as the same by Node', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, breakage, async ({ bytes, method }, { at, remove, insert }) => {
        const place = Math.floor(at * bytes.length);
        const broken = bytes.slice(0, place) + insert + bytes.slice(place + remove);
        let read: ReadAnswer;
        try {
          read = readAnswer([broken], { method, ends: true });
        } catch (error) {
          assert.ok(error instanceof BadAnswerError);
          return;
        }
        const { status, reason, fields } = read.head ?? {};
        // What comes behind an answer is Node's to complain of, too, but not part of it.
        const expected = await asNodeReads(broken.slice(0, broken.length - (read.rest?.length ?? 0)), method);
        assert.deepEqual({ status, reason, fields, body: read.body, trailers: [...read.trailers] }, expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are incomplete when any byte is missing at their end', () => {
    for (const bytes of [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    ])
      for (let length = 0; length < bytes.length; length += 1)
        assert.throws(() => readAnswer([bytes.slice(0, length)], { ends: true }), BadAnswerError, `${length}`);
  });

  it('end where they say, and what comes behind them is told', () => {
    for (const bytes of [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]) {
      assert.equal(readAnswer([bytes]).persists, true);
      const { state, persists, rest } = readAnswer([`${bytes}HTTP`]);
      assert.deepEqual([state, persists, rest], ['ended', false, 'HTTP']);
    }
  });

  it('tell whether the connection goes on', () => {
    for (const [head, goesOn] of [
      ['HTTP/1.1 200 OK\r\nContent-Length: 0', true],
      ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive', true],
      ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close', false],
      ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close', false],
      ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x\r\nConnection: close', false],
      ['HTTP/1.0 200 OK\r\nContent-Length: 0', false],
      ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive', true],
      ['HTTP/1.1 204 No Content', true],
      ['HTTP/1.1 204 No Content\r\nContent-Length: 5', false],
      ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked', false],
      ['HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked', false],
    ] as const)
      assert.equal(readAnswer([`${head}\r\n\r\n`]).persists, goesOn, head);
  });

  it('switch protocols only when asked to, and to what was asked for', () => {
    const head = 'HTTP/1.1 101 S\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n';
    const { state, rest } = readAnswer([`${head}\x81\x00`], { upgrade: true });
    assert.deepEqual([state, rest], ['switched', '\x81\x00']);
    assert.throws(() => readAnswer([head]), BadAnswerError);
    for (const other of [
      'Connection: Upgrade\r\nUpgrade: h2c',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c',
    ])
      assert.throws(() => readAnswer([`HTTP/1.1 101 S\r\n${other}\r\n\r\n`], { upgrade: true }), BadAnswerError, other);
  });
});

describe('bytes that are no answer, or two', () => {
  const heads = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5, 5',
    'HTTP/1.1 200 OK\r\nContent-Length: +5',
    'HTTP/1.1 200 OK\r\nContent-Length: -5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5.0',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5e1',
    'HTTP/1.1 200 OK\r\nContent-Length: 5 5',
    'HTTP/1.1 200 OK\r\nContent-Length:',
    'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999',
    'HTTP/1.1 200 OK\r\nContent-Length : 5',
    'HTTP/1.1 200 OK\r\n Content-Length: 5',
    'HTTP/1.1 200 OK\r\nX-A: b\r\n c',
    'HTTP/1.1 200 OK\r\nX-A: b\r\n\tc',
    'HTTP/1.1 200 OK\r\nX-A',
    'HTTP/1.1 200 OK\r\n: a',
    'HTTP/1.1 200 OK\r\nX A: b',
    'HTTP/1.1 200 OK\r\nX-A\x80: b',
    'HTTP/1.1 200 OK\r\nX-A: b\x00c',
    'HTTP/1.1 200 OK\r\nX-A: b\x7fc',
    'HTTP/1.1 200 OK\r\nX-A: b\rc',
    'HTTP/1.1 200 OK\r\nX-A: b\nX-C: d',
    'HTTP/1.1 200 OK\nX-A: b\r\n',
    'HTTP/1.1 200 O\x01K',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    'ICY 200 OK',
    '\r\nHTTP/1.1 200 OK',
    '<html>hello</html>',
    '',
  ];
  for (const head of heads)
    it(`are refused: ${JSON.stringify(head)}`, () => {
      const bytes = `${head}\r\n\r\n`;
      assert.throws(() => readAnswer([bytes], { ends: true }), BadAnswerError);
      assert.throws(() => readAnswer(cut(bytes, [1]), { ends: true }), BadAnswerError, 'byte by byte');
    });

  it('are refused as soon as they are seen', () => {
    for (const bytes of ['<', 'HTTP/2', 'HTTP/1.1 200 OK\nX-A: b'])
      assert.throws(() => readAnswer([bytes]), BadAnswerError, bytes);
  });

  it('are refused where a chunk is none', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const chunk of [
      'ZZ\r\nhello\r\n',
      '\r\nhello\r\n',
      '5 \r\nhello\r\n',
      ' 5\r\nhello\r\n',
      '5 ;a\r\nhello\r\n',
      '-5\r\nhello\r\n',
      '+5\r\nhello\r\n',
      '0x5\r\nhello\r\n',
      '5\nhello\r\n',
      '5;a\nhello\r\n',
      '5;\x00\r\nhello\r\n',
      '5\rhello\r\n',
      '5\r\nhello\n',
      '5\r\nhello!\r\n',
      'FFFFFFFFFFFFFFFF\r\nhello\r\n',
      `5;${'a'.repeat(20_000)}\r\nhello\r\n`,
      '0\r\nX-A : b\r\n\r\n',
      '0\r\n X-A: b\r\n\r\n',
      '0\r\nX-A: b\n\r\n',
      `0\r\n${'X-A: b\r\n'.repeat(10_000)}\r\n`,
    ]) {
      const bytes = `${head}3\r\nabc\r\n${chunk}0\r\n\r\n`;
      assert.throws(() => readAnswer([bytes]), BadAnswerError, JSON.stringify(chunk.slice(0, 40)));
      assert.throws(
        () => readAnswer(cut(bytes, [1]), { ends: true }),
        BadAnswerError,
        JSON.stringify(chunk.slice(0, 40)),
      );
    }
  });

  it('are bounded: heads by bytes and fields', () => {
    for (const head of [`X-A: ${'b'.repeat(70_000)}`, Array(1_001).fill('a:').join('\r\n')]) {
      const bytes = `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`;
      assert.throws(() => readAnswer([bytes]), BadAnswerError);
      assert.throws(() => readAnswer(cut(bytes, [1_000])), BadAnswerError);
    }
    assert.throws(
      () => readAnswer(Array(70).fill('HTTP/1.1 200 OK\r\n'.padEnd(1_000, 'a'))),
      BadAnswerError,
      'without end',
    );
  });
});
