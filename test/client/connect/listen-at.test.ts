import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOpenToOthers, parseListenAt } from '../../../src/client/connect/listen-at.ts';

describe('where -L may listen', () => {
  test('is this machine unless said otherwise', () => {
    for (const [text, host, port] of [
      ['5432', '127.0.0.1', 5432],
      ['0', '127.0.0.1', 0],
      [':5432', '127.0.0.1', 5432],
      ['localhost:5432', '127.0.0.1', 5432],
      ['127.0.0.2:5432', '127.0.0.2', 5432],
      ['[::1]:65535', '::1', 65_535],
    ] as const) {
      assert.deepEqual(parseListenAt(text), { kind: 'tcp', host, port }, text);
      assert.equal(isOpenToOthers(host), false, text);
    }
    for (const [text, host] of [
      ['0.0.0.0:5432', '0.0.0.0'],
      ['*:5432', '0.0.0.0'],
      ['[::]:5432', '::'],
      ['10.1.2.3:5432', '10.1.2.3'],
    ] as const) {
      assert.deepEqual(parseListenAt(text), { kind: 'tcp', host, port: 5432 }, text);
      assert.equal(isOpenToOthers(host), true, text);
    }
  });

  test('is a path, or standard input and output', () => {
    assert.deepEqual(parseListenAt('unix:/run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
    assert.deepEqual(parseListenAt('unix:here:too'), { kind: 'unix', path: 'here:too' });
    assert.deepEqual(parseListenAt('-'), { kind: 'stdio' });
  });

  test('is nothing else: no name that may change its meaning, no port that is none', () => {
    for (const text of [
      '',
      'x',
      '65536',
      '-1',
      '5432x',
      '1.2.3:1',
      'host.example:1',
      '::1:5432',
      '[127.0.0.1]:1',
      'unix:',
      '--',
      '0x10',
      '5 432',
    ])
      assert.throws(() => parseListenAt(text), { code: 'request_invalid' }, text);
  });
});
