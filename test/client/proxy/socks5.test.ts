import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Socks5, type SocksStep } from '../../../src/client/proxy/socks5.ts';

const GREETING = Buffer.from([5, 1, 0]);

/** What the engine says to bytes that come in these pieces, up to the end of the handshake. */
function talk(pieces: readonly Buffer[]): { answers: Buffer; end: SocksStep } {
  const engine = new Socks5();
  const answers: Buffer[] = [];
  for (const [at, piece] of pieces.entries()) {
    engine.add(piece);
    for (let step = engine.next(); step.kind !== 'more'; step = engine.next()) {
      if (step.kind === 'greeted') answers.push(step.answer);
      else if (step.kind === 'refused') return { answers: Buffer.concat([...answers, step.answer]), end: step };
      else {
        const rest = Buffer.concat([step.rest, ...pieces.slice(at + 1)]);
        return { answers: Buffer.concat(answers), end: { ...step, rest } };
      }
    }
  }
  return { answers: Buffer.concat(answers), end: { kind: 'more' } };
}

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const portBytes = (port: number) => Buffer.from([port >> 8, port & 0xff]);
const request = (type: number, address: Buffer, port: number, command = 1) =>
  Buffer.concat([Buffer.from([5, command, 0, type]), address, portBytes(port)]);
const byName = (name: string, port: number, command?: number) =>
  request(3, Buffer.concat([Buffer.from([name.length]), bytesOf(name)]), port, command);

const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const port = fc.integer({ min: 1, max: 65_535 });

describe('the SOCKS5 handshake', () => {
  test('gives name, port and what follows, however it is cut', () => {
    fc.assert(
      fc.property(
        name,
        port,
        fc.uint8Array({ maxLength: 50 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (host, to, after, cuts) => {
          const whole = Buffer.concat([GREETING, byName(host, to), after]);
          const at = [...new Set(cuts.map((cut) => cut % whole.length))].toSorted((a, b) => a - b);
          const pieces = [...at, whole.length].map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
          const { answers, end } = talk(pieces);
          assert.deepEqual(answers, Buffer.from([5, 0]));
          assert.deepEqual(end, { kind: 'connect', host, port: to, rest: Buffer.from(after) });
        },
      ),
    );
  });

  test('says the same whether the bytes come one by one or at once, whatever they are', () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 0xff), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.boolean(), (noise, greeted) => {
        const whole = Buffer.concat([greeted ? GREETING : Buffer.alloc(0), Buffer.from(noise)]);
        const singly = talk([...whole].map((one) => Buffer.from([one])));
        assert.deepEqual(singly, talk([whole]));
      }),
      { numRuns: 1000 },
    );
  });

  test('waits at every cut until the request is whole', () => {
    const whole = Buffer.concat([GREETING, byName('db.example', 5432)]);
    for (let cut = 0; cut < whole.length; cut += 1) assert.equal(talk([whole.subarray(0, cut)]).end.kind, 'more');
    assert.equal(talk([whole]).end.kind, 'connect');
  });

  test('reads addresses of both families', () => {
    const v4 = talk([GREETING, request(1, Buffer.from([10, 1, 2, 3]), 22)]).end;
    assert.deepEqual(v4, { kind: 'connect', host: '10.1.2.3', port: 22, rest: Buffer.alloc(0) });
    const address = Buffer.from('20010db8000000000000000000000001', 'hex');
    const v6 = talk([GREETING, request(4, address, 22)]).end;
    assert.deepEqual(v6, { kind: 'connect', host: '2001:db8::1', port: 22, rest: Buffer.alloc(0) });
  });

  test('refuses the rest, each with its reply', () => {
    const replyTo = (...pieces: Buffer[]) => {
      const { answers, end } = talk(pieces);
      assert.equal(end.kind, 'refused');
      return answers.toString('hex');
    };
    const answer = (reply: string) => `050005${reply}0001000000000000`;
    assert.equal(replyTo(Buffer.from([4, 1, 0, 80])), '', 'SOCKS4');
    assert.equal(replyTo(bytesOf('GET / HTTP/1.1\r\n')), '', 'HTTP');
    assert.equal(replyTo(Buffer.from([5, 2, 1, 2])), '05ff', 'only methods that we do not have');
    assert.equal(replyTo(Buffer.from([5, 0])), '05ff', 'no method');
    assert.equal(replyTo(GREETING, byName('db', 1, 2)), answer('07'), 'BIND');
    assert.equal(replyTo(GREETING, byName('db', 1, 3)), answer('07'), 'UDP ASSOCIATE');
    assert.equal(
      replyTo(GREETING, request(2, Buffer.from([1, 2, 3, 4]), 1)),
      answer('08'),
      'an unknown kind of address',
    );
    assert.equal(replyTo(GREETING, byName('db', 0)), answer('01'), 'port 0');
    for (const odd of ['', 'a b', 'a\0b', 'a:1', '[::1]', 'a/b', 'a..b', '.', 'x@y', 'ü', 'a\r\nb'])
      assert.equal(replyTo(GREETING, byName(odd, 80)), answer('01'), JSON.stringify(odd));
  });
});
