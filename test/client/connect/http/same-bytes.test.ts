import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { serveHttp } from '../../../../src/client/connect/http/serve-http.ts';
import { Secret } from '../../../../src/lib/secret.ts';

/** Characters of a field value as browsers and programs send them; obs-text included, since apps use it. */
const value = fc
  .array(
    fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f),
    { maxLength: 20 },
  )
  .map((codes) => String.fromCharCode(...codes));
const fields = fc.array(fc.tuple(fc.stringMatching(/^[xX]-[a-zA-Z0-9_-]{1,12}$/), value), { maxLength: 6 });
const body = fc.record({
  chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 4 }),
  framing: fc.constantFrom('length', 'chunked'),
});
const path = fc.stringMatching(/^\/[!-"$-~]{0,40}$/);
const exchange = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH'),
  path,
  fields,
  body,
  answer: fc.record({ status: fc.constantFrom(200, 201, 204, 206, 304, 400, 404, 500, 599), fields, body }),
});
type Exchange = typeof exchange extends fc.Arbitrary<infer Given> ? Given : never;

/** `x-` fields with their values, in their order. */
const own = ({ rawHeaders }: IncomingMessage) =>
  rawHeaders.flatMap((name, at) => (at % 2 === 0 && /^x-/i.test(name) ? [`${name}: ${rawHeaders[at + 1]}`] : []));
const sent = (pairs: readonly (readonly [string, string])[]) => pairs.map(([name, text]) => `${name}: ${text}`);
const whole = ({ chunks }: Exchange['body']) => Buffer.concat(chunks);
const framing = ({ framing: how, chunks }: Exchange['body']) =>
  how === 'chunked' ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(Buffer.concat(chunks).length)];

test('whatever goes in comes out: method, path, fields and body, there and back', { timeout: 60_000 }, async (t) => {
  let arrived: { method: string; url: string; fields: string[]; body: Buffer } | undefined;
  let answer: Exchange['answer'] | undefined;
  const app = createServer((req: IncomingMessage, res: ServerResponse) => {
    void buffer(req).then((received) => {
      arrived = { method: req.method ?? '', url: req.url ?? '', fields: own(req), body: received };
      if (!answer) return void res.end();
      const bare = answer.status === 204 || answer.status === 304;
      res.writeHead(answer.status, [...answer.fields.flat(), ...(bare ? [] : framing(answer.body))]);
      if (bare || req.method === 'HEAD') return void res.end();
      for (const chunk of answer.body.chunks) res.write(chunk);
      res.end();
    });
  });
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => {
    app.closeAllConnections();
    app.close();
  });
  await using listener = await serveHttp(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      origin: `http://127.0.0.1:${(app.address() as AddressInfo).port}`,
      token: { current: () => Promise.resolve(new Secret('pst_x')), refused() {} },
      failed: (error) => assert.fail(String(error)),
      signal: new AbortController().signal,
    },
  );

  await fc.assert(
    fc.asyncProperty(exchange, async (given) => {
      answer = given.answer;
      const hasBody = given.body.chunks.length > 0;
      const asked = request({
        host: '127.0.0.1',
        port: listener.port,
        method: given.method,
        path: given.path,
        headers: ['Host', listener.address, ...given.fields.flat(), ...(hasBody ? framing(given.body) : [])],
        setHost: false,
      });
      for (const chunk of given.body.chunks) asked.write(chunk);
      asked.end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const received = await buffer(response);

      assert.equal(arrived?.method, given.method);
      assert.equal(arrived.url, given.path);
      assert.deepEqual(arrived.fields, sent(given.fields));
      assert.ok(arrived.body.equals(whole(given.body)));
      assert.equal(response.statusCode, given.answer.status);
      assert.deepEqual(own(response), sent(given.answer.fields));
      const bare = given.method === 'HEAD' || given.answer.status === 204 || given.answer.status === 304;
      assert.ok(received.equals(bare ? Buffer.alloc(0) : whole(given.answer.body)));
    }),
    { numRuns: 200 },
  );
});
