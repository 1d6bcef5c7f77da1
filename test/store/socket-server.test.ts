import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { serveSocket } from '../../src/store/embedded/socket-server.ts';
import { temporaryDirectory } from './databases.ts';

const START = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);

test('however the bytes are cut, each group of messages reaches the database whole, in order, in one call', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 's');
  let calls: string[] = [];
  const execute = async (messages: Uint8Array, answer: (bytes: Uint8Array) => void): Promise<void> => {
    calls.push(Buffer.from(messages).toString('hex'));
    await new Promise((resolve) => setImmediate(resolve));
    answer(Buffer.from('z'));
  };
  await using _server = await serveSocket(path, execute, (error) => assert.fail(String(error)));
  const body = fc.uint8Array({ maxLength: 300 });
  const before = fc.array(fc.tuple(fc.constantFrom('P', 'B', 'D', 'E', 'd'), body), { maxLength: 4 });
  const group = fc
    .tuple(before, fc.constantFrom('S', 'Q', 'H', 'c'), body)
    .map(([rest, last, bytes]) =>
      Buffer.concat([...rest, [last, bytes] as const].map(([type, of]) => message(type, of))),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(400)), async (groups, cuts) => {
      calls = [];
      const expected = [START, ...groups].map((each) => each.toString('hex'));
      const socket = connect(path);
      // The last cut may come after the goodbye.
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      let answered = 0;
      socket.on('data', (bytes: Buffer) => {
        answered += bytes.length;
      });
      let rest = Buffer.concat([START, ...groups, message('X', new Uint8Array())]);
      for (const cut of cuts) {
        socket.write(rest.subarray(0, cut));
        rest = rest.subarray(cut);
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.write(rest);
      await closed;
      assert.deepEqual(calls, expected);
      assert.equal(answered, expected.length);
    }),
    { numRuns: 60 },
  );
});

test('what is no message closes the connection; a database that fails is reported', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 's');
  const failures: string[] = [];
  const execute = async (messages: Uint8Array): Promise<void> => {
    if (messages[0] === 'Q'.charCodeAt(0)) throw new Error('out of memory');
  };
  await using _server = await serveSocket(path, execute, (error) => failures.push(String(error)));
  const wrong = connect(path).resume();
  wrong.write(Buffer.concat([START, Buffer.from([80, 0, 0, 0, 1])]));
  await once(wrong, 'close');
  assert.deepEqual(failures, []);
  const socket = connect(path).resume();
  socket.write(Buffer.concat([START, message('Q', Buffer.from('x')), message('X', new Uint8Array())]));
  await once(socket, 'close');
  assert.deepEqual(failures, ['Error: out of memory']);
});

function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}
