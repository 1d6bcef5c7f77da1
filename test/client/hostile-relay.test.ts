import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fetchCheckpoint } from '../../src/client/audit-checkpoint.ts';
import { loginByDevice } from '../../src/client/device-login.ts';
import { allRows } from '../../src/client/list-all.ts';
import { listResources } from '../../src/client/resources.ts';
import { listServices } from '../../src/client/services.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { printableJson, printableLines } from '../../src/lib/printable.ts';
import { Secret } from '../../src/lib/secret.ts';

const NEVER = new AbortController().signal;
const STEERING = '\u001b]0;owned\u0007\u009b2J\u202e';

/** Answers what the test says, by path. */
async function relayThatSays(t: TestContext, answers: Readonly<Record<string, readonly [number, object]>>) {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, {}];
    request.resume().on('end', () => response.writeHead(status).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const relay = `http://postern.localhost:${(server.address() as AddressInfo).port}`;
  return { relay, token: new Secret('pst_x'), expiresAt: Number.MAX_VALUE, person: '' };
}

describe('a relay that means harm', () => {
  test('calls no resource so that a line of ssh_config, or of a shell, means something else', async (t) => {
    for (const name of ['* ', 'a\nProxyCommand x', 'a b', '-oProxyCommand=x', '$(x)', 'A', '']) {
      const resources = [{ name, protocol: 'ssh', title: '', description: null, tags: [] }];
      const credential = await relayThatSays(t, { '/api/v1/resources': [200, { resources }] });
      await assert.rejects(listResources(credential, NEVER), (error) => hasCode(error, 'request_invalid'), name);
    }
  });

  test('steers no terminal by what it says of an error', async (t) => {
    const credential = await relayThatSays(t, {
      '/api/v1/resources': [403, { detail: STEERING, reference: STEERING }],
    });
    await assert.rejects(listResources(credential, NEVER), (error) => {
      assert.ok(hasCode(error, 'forbidden'));
      assert.doesNotMatch(error.message, /[\p{Cc}\u202e]/u);
      return true;
    });
  });

  test('nor by a checkpoint of its log', async (t) => {
    for (const [checkpoint, fine] of [
      ['relay\n1\nabc\n\n\u2014 relay AAAA\n', true],
      [STEERING, false],
    ] as const) {
      const credential = await relayThatSays(t, { '/api/v1/audit/checkpoint': [200, { checkpoint, key: 'k' }] });
      const fetched = fetchCheckpoint(credential, NEVER);
      if (fine) assert.equal((await fetched).checkpoint, checkpoint);
      else await assert.rejects(fetched, (error) => hasCode(error, 'request_invalid'));
    }
  });

  const shown = {
    deviceCode: 'x',
    userCode: 'ABCD',
    verificationUri: 'http://postern.localhost/',
    verificationUriComplete: 'http://postern.localhost/',
    intervalMs: 1,
  };

  test('nor by whom it lets a command line be', async (t) => {
    const { relay } = await relayThatSays(t, {
      '/cli/device': [200, shown],
      '/cli/device/token': [200, { state: 'issued', token: 'pst_x', expiresAt: 1, person: STEERING }],
    });
    const { person } = await loginByDevice({ relay, show: () => {}, signal: NEVER });
    assert.doesNotMatch(person, /[\p{Cc}\u202e]/u);
  });

  test('keeps nobody waiting for ever for a word on another machine', async (t) => {
    const { relay } = await relayThatSays(t, {
      '/cli/device': [200, shown],
      '/cli/device/token': [200, { state: 'pending', intervalMs: 60_000 }],
    });
    const waiting = loginByDevice({ relay, show: () => {}, signal: NEVER, wait: () => Promise.resolve() });
    await assert.rejects(waiting, (error) => hasCode(error, 'sign_in_refused'));
  });

  test('makes no list without an end', async (t) => {
    const services = Array.from({ length: 1_000 }, (_, at) => ({
      name: `s${at}`,
      description: null,
      owner: 'x',
      createdAt: 0,
      disabledAt: null,
      tokens: [],
    }));
    const page = (next: string | null) => [200, { services, next }] as const;
    const endless = await relayThatSays(t, { '/api/v1/services': page('x'), '/api/v1/services?after=x': page('x') });
    await assert.rejects(listServices(endless, NEVER), (error) => hasCode(error, 'limit_reached'));
    const two = await relayThatSays(t, { '/api/v1/services': page('x'), '/api/v1/services?after=x': page(null) });
    assert.equal((await listServices(two, NEVER)).length, 2_000);
    const tall = allRows(() => Promise.resolve({ rows: Array.from({ length: 200_000 }, () => 0), next: 'x' }));
    await assert.rejects(tall, (error) => hasCode(error, 'limit_reached'));
  });
});

test('lines stay lines; JSON stays the same for programs', () => {
  assert.equal(printableLines('one\ntwo\u001b[2J\r'), 'one\ntwo\uFFFD[2J\uFFFD');
  const record = { title: `a "b" \\ ${STEERING}\u007f\n\u{1f600}` };
  const json = printableJson(JSON.stringify(record, undefined, 2));
  assert.doesNotMatch(json.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
  assert.deepEqual(JSON.parse(json), record);
});
