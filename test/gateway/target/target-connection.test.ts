import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { STREAM_IDLE_MS } from '../../../src/gateway/limits.ts';
import type { AnswerHead } from '../../../src/gateway/target/http/answer-head.ts';
import { type Asker, type Question, TargetConnection } from '../../../src/gateway/target/http/target-connection.ts';
import { hasCode } from '../../../src/lib/errors.ts';

const QUESTION: Question = {
  head: 'GET / HTTP/1.1\r\n\r\n',
  method: 'GET',
  body: 'none',
  upgrade: false,
  headersMs: 1_000,
  idleMs: 2_000,
};
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Remembers what it is told; waits for the end of it. */
class Listener implements Asker {
  clientIsDue = false;
  body = '';
  readonly told: string[] = [];
  readonly #settled = Promise.withResolvers<void>();
  error: Error | undefined;
  reusable: boolean | undefined;
  stream: Duplex | undefined;

  get settled(): Promise<void> {
    return this.#settled.promise;
  }
  interim(head: AnswerHead): void {
    this.told.push(`interim ${head.status}`);
  }
  head(head: AnswerHead): void {
    this.told.push(`head ${head.status}`);
  }
  data(data: Buffer): void {
    this.body += data.toString('latin1');
  }
  caughtUp(): void {}
  drained(): void {
    this.told.push('drained');
  }
  ended(_trailers: readonly string[], reusable: boolean): void {
    this.reusable = reusable;
    this.#settled.resolve();
  }
  switched(duplex: Duplex, rest: Buffer | undefined): void {
    this.stream = duplex;
    this.body = rest?.toString('latin1') ?? '';
    this.#settled.resolve();
  }
  failed(error: Error): void {
    this.error = error;
    this.#settled.resolve();
  }
}

function connected() {
  const [ours, target] = duplexPair();
  let closed = 0;
  let received = '';
  target.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
  });
  const connection = new TargetConnection(ours, () => {
    closed += 1;
  });
  return { ours, target, connection, closed: () => closed, received: () => received };
}

async function answered(connection: TargetConnection, target: Duplex, answer: string, change: Partial<Question> = {}) {
  const asker = new Listener();
  assert.equal(connection.ask({ ...QUESTION, ...change }, asker), true);
  target.write(answer, 'latin1');
  await asker.settled;
  return asker;
}

const finish = (target: Duplex) => void target.end();
const reset = (_target: Duplex, ours: Duplex) => void ours.on('error', () => undefined).destroy(new Error('reset'));

describe('a connection to a target', () => {
  it('carries one request after the other', async () => {
    const { connection, target, received } = connected();
    for (let n = 0; n < 3; n += 1) {
      const { reusable, body } = await answered(connection, target, ANSWER);
      assert.deepEqual([reusable, body, connection.isFree], [true, 'ok', true]);
    }
    assert.equal(received(), QUESTION.head.repeat(3));
  });

  it('ends after an answer that is not the last thing on it, or that says so', async () => {
    for (const answer of [
      `${ANSWER}!`,
      ANSWER.repeat(2),
      ANSWER.replace('OK\r\n', 'OK\r\nConnection: close\r\n'),
      // Too soon to be used again in time.
      ANSWER.replace('OK\r\n', 'OK\r\nKeep-Alive: timeout=2\r\n'),
    ]) {
      const { connection, target, ours, closed } = connected();
      const { reusable, body } = await answered(connection, target, answer);
      assert.deepEqual([reusable, body, ours.destroyed, closed()], [false, 'ok', true, 1]);
      assert.equal(connection.ask(QUESTION, new Listener()), false);
    }
  });

  it('ends with whatever a target says that was not asked', async () => {
    for (const say of [
      (target: Duplex) => target.write(ANSWER),
      (target: Duplex) => target.write('H'),
      (target: Duplex) => target.end(),
    ]) {
      const { connection, target, ours, closed } = connected();
      await answered(connection, target, ANSWER);
      say(target);
      if (!ours.destroyed) await once(ours, 'close');
      assert.deepEqual([connection.isFree, closed()], [false, 1]);
    }
  });

  it('is not used again before the request is out: what is left of it is not the next one', async () => {
    const { connection, target, ours, received } = connected();
    const asker = new Listener();
    connection.ask({ ...QUESTION, body: 'chunked' }, asker);
    connection.sendBody(Buffer.from('begun'));
    target.write(ANSWER);
    await asker.settled;
    assert.deepEqual([asker.reusable, asker.body, ours.destroyed], [false, 'ok', true]);
    connection.sendBody(Buffer.from('more'));
    connection.endBody();
    assert.equal(received(), `${QUESTION.head}5\r\nbegun\r\n`);
  });

  it('sends a body as it was framed, and no empty chunk', async () => {
    const { connection, target, received } = connected();
    for (const [body, sent] of [
      ['length', 'abcdef'],
      ['chunked', '3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n'],
    ] as const) {
      const before = received().length;
      const asker = new Listener();
      connection.ask({ ...QUESTION, body }, asker);
      for (const data of ['abc', '', 'def']) connection.sendBody(Buffer.from(data));
      connection.endBody();
      await new Promise(setImmediate);
      target.write(ANSWER);
      await asker.settled;
      assert.equal(received().slice(before), `${QUESTION.head}${sent}`);
      assert.equal(asker.reusable, true);
    }
  });

  it('fails with what ended it, whole answers aside', async () => {
    for (const [bytes, then] of [
      ['', finish],
      ['', reset],
      [ANSWER.slice(0, -1), finish],
      ['HTTP/1.1 200 OK\r\n\r\nto the end', reset],
      ['HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n', () => undefined],
    ] as const) {
      const { connection, target, ours, closed } = connected();
      const asker = new Listener();
      connection.ask(QUESTION, asker);
      target.write(bytes);
      await new Promise(setImmediate);
      then(target, ours);
      await asker.settled;
      assert.ok(asker.error, bytes);
      assert.deepEqual([ours.destroyed, closed(), asker.reusable], [true, 1, undefined], bytes);
    }
    const { connection, target } = connected();
    const asker = new Listener();
    connection.ask(QUESTION, asker);
    target.end('HTTP/1.1 200 OK\r\n\r\nto the end');
    await asker.settled;
    assert.deepEqual([asker.body, asker.reusable], ['to the end', false]);
  });

  it('waits so long for a head, a part of the body and the next request, but never for what the client owes', async () => {
    const { connection, target } = connected();
    const asker = new Listener();
    connection.ask(QUESTION, asker);
    const now = performance.now();
    asker.clientIsDue = true;
    connection.sweep(now + 60_000);
    asker.clientIsDue = false;
    connection.sweep(now + 60_900);
    assert.equal(connection.isClosed, false);
    connection.sweep(now + 61_100);
    await asker.settled;
    assert.ok(hasCode(asker.error, 'timeout'));
    target.destroy();

    const second = connected();
    const slow = new Listener();
    second.connection.ask(QUESTION, slow);
    second.target.write(ANSWER.slice(0, -1));
    await new Promise(setImmediate);
    second.connection.sweep(now);
    second.connection.sweep(now + 1_900);
    assert.equal(slow.error, undefined, 'a body has its own limit');
    second.connection.sweep(now + 2_100);
    assert.ok(hasCode(slow.error, 'timeout'));

    const third = connected();
    await answered(third.connection, third.target, ANSWER);
    third.connection.sweep(performance.now() + STREAM_IDLE_MS - 100);
    assert.equal(third.connection.isFree, true);
    third.connection.sweep(performance.now() + STREAM_IDLE_MS + 100);
    assert.equal(third.connection.isClosed, true);
    assert.equal(third.ours.writableEnded, true, 'ended in order, since nothing was under way');
  });

  it('is given away by a 101, with what came behind it', async () => {
    const { connection, target, ours, closed } = connected();
    const head = 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const asker = await answered(connection, target, `${head}early`, { upgrade: true });
    assert.deepEqual([asker.told, asker.stream, asker.body], [['head 101'], ours, 'early']);
    connection.sweep(performance.now() + 3_600_000);
    connection.close();
    assert.deepEqual([ours.destroyed, closed()], [false, 0], 'whoever has it now ends it');
  });
});
