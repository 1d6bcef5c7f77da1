import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { after, before, test } from 'node:test';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { callRelay } from '../../src/client/relay-api.ts';

/** Answers `/<status>` with that status and a problem, `/page` like a web server that is no relay, `/never` not at all, `/huge` without an end. */
const server = createServer((request, response) => {
  const word = (request.url ?? '').slice(1);
  if (word === 'never') return;
  if (word === 'huge') return void pipeline(endless(), response, () => undefined);
  if (word === 'page') return void response.writeHead(200).end('<!doctype html>');
  const json = { 'content-type': 'application/problem+json' };
  response.writeHead(Number(word), json).end(JSON.stringify({ detail: 'Said by the relay.', reference: 'r-1' }));
});
function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(1024 * 1024, ' ');
}

let relay = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  relay = `http://postern.localhost:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('what the relay answers is what a command ends with: its sentence, and an exit code by what helps', async () => {
  const expected = { 400: 1, 401: 4, 403: 5, 404: 1, 409: 1, 429: 1, 500: 1, 502: 6, 503: 6 };
  for (const [status, exitCode] of Object.entries(expected)) {
    const error = await callRelay({ relay, path: `/${status}` }).then(
      () => assert.fail('it answered'),
      (thrown: unknown) => thrown,
    );
    assert.equal(exitCodeOf(error), exitCode, status);
    assert.match(String(error), /Said by the relay\. \(reference r-1\)/, status);
  }
});

test('silence, nobody there, and something that is no relay', async () => {
  const exitCode = (path: string, at = relay) =>
    callRelay({ relay: at, path, timeoutMs: 300 }).then(
      () => assert.fail('it answered'),
      (error: unknown) => exitCodeOf(error),
    );
  assert.equal(await exitCode('/never'), 6);
  assert.equal(await exitCode('/', 'http://postern.localhost:9'), 6);
  assert.equal(await exitCode('/page'), 1);
  await assert.rejects(callRelay({ relay, path: '/huge' }), { code: 'limit_reached', message: /Ask for less/ });
});
