import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readProxyHeader } from '../../src/gateway/front/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (...parts: string[]) => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');

const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n');
// PROXY, TCP over IPv4, 12 bytes: source, destination, ports.
const V2 = hex(SIGNATURE, '21 11 000c', 'cb007107 c0000201 dc04 01bb');
const V2_SIX = hex(
  SIGNATURE,
  '21 21 0024',
  '20010db8000000000000000000000007',
  '20010db8000000000000000000000001',
  'dc04 01bb',
);
const V2_TLV = hex(SIGNATURE, '21 11 0013', 'cb007107 c0000201 dc04 01bb', '04 0004 00000000');
const V2_LOCAL = hex(SIGNATURE, '20 00 0000');

test('headers as the specification writes them, byte for byte', () => {
  assert.deepEqual(readProxyHeader(V1), { kind: 'header', client: '203.0.113.7', length: V1.length });
  assert.deepEqual(readProxyHeader(Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\nGET')), {
    kind: 'header',
    client: '2001:db8::7',
    length: 40,
  });
  assert.deepEqual(readProxyHeader(Buffer.from('PROXY UNKNOWN\r\n')), {
    kind: 'header',
    client: undefined,
    length: 15,
  });
  assert.deepEqual(readProxyHeader(V2), { kind: 'header', client: '203.0.113.7', length: 28 });
  assert.deepEqual(readProxyHeader(V2_SIX), { kind: 'header', client: '2001:db8::7', length: 52 });
  assert.deepEqual(readProxyHeader(V2_TLV), { kind: 'header', client: '203.0.113.7', length: 35 });
  assert.deepEqual(readProxyHeader(V2_LOCAL), { kind: 'header', client: undefined, length: 16 });
});

for (const [name, bytes] of Object.entries({ V1, V2, V2_SIX, V2_TLV, V2_LOCAL }))
  test(`${name}: every beginning of it is incomplete, and what follows is not read`, () => {
    for (let end = 0; end < bytes.length; end++)
      assert.equal(readProxyHeader(bytes.subarray(0, end)).kind, 'incomplete', `${end} bytes`);
    const whole = readProxyHeader(Buffer.concat([bytes, Buffer.from('PROXY TCP4 9.9.9.9 9.9.9.9 9 9\r\n')]));
    assert.deepEqual(whole, readProxyHeader(bytes));
  });

for (const text of [
  'GET / HTTP/1.1\r\n',
  'proxy TCP4 203.0.113.7 192.0.2.1 1 2\r\n',
  'PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n',
  'PROXY TCP4 203.0.113.7 192.0.2.1 1 65536\r\n',
  'PROXY TCP4 203.0.113.7 192.0.2.1 01 2\r\n',
  'PROXY TCP4 203.0.113.7  192.0.2.1 1 2\r\n',
  'PROXY TCP4 203.0.113.07 192.0.2.1 1 2\r\n',
  'PROXY TCP4 3405803783 192.0.2.1 1 2\r\n',
  'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n\r\n',
  'PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n',
  'PROXY TCP6 203.0.113.7 192.0.2.1 1 2\r\n',
  'PROXY UDP4 203.0.113.7 192.0.2.1 1 2\r\n',
  'PROXY UNKNOWN\0\r\n',
  `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`,
  `PROXY TCP4 ${'x'.repeat(200)}`,
])
  test(`refused: ${JSON.stringify(text.slice(0, 60))}`, () =>
    assert.deepEqual(readProxyHeader(Buffer.from(text)), { kind: 'invalid' }));

test('refused in version 2: another version, command, family, transport, too short, too long', () => {
  for (const [at, value] of [
    [12, 0x31],
    [12, 0x22],
    [13, 0x41],
    [13, 0x12],
    [13, 0x10],
    [13, 0x31],
    [15, 0x0b],
    [14, 0xff],
  ] as const) {
    const bytes = Buffer.concat([V2, Buffer.alloc(70_000)]);
    bytes[at] = value;
    assert.deepEqual(readProxyHeader(bytes), { kind: 'invalid' }, `byte ${at} = ${value}`);
  }
});

test('no bytes make it throw, and a header never claims more than there is', () => {
  const start = fc.constantFrom(
    hex(SIGNATURE),
    hex(SIGNATURE, '21'),
    hex(SIGNATURE, '2111'),
    Buffer.from('PROXY TCP4 '),
    Buffer.alloc(0),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (front, rest) => {
      const bytes = Buffer.concat([front, rest]);
      const header = readProxyHeader(bytes);
      if (header.kind === 'header') assert.ok(header.length <= bytes.length);
    }),
    { numRuns: 2000 },
  );
});
