import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { embeddedAddress, parseAddress, parseCidr } from '../../src/lib/network/address.ts';
import { endpointText, parseEndpoint } from '../../src/lib/network/endpoint.ts';
import { matchesName, parseNamePattern } from '../../src/lib/network/name-pattern.ts';
import { NetworkList } from '../../src/lib/network/network-list.ts';
import { parsePorts } from '../../src/lib/network/ports.ts';

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?$/);
const name = fc
  .array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join('.'))
  .filter((text) => !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(text));
const port = fc.integer({ min: 1, max: 65_535 });

function listOf(addresses: readonly string[], hosts: readonly string[] = [], ports: readonly string[] = ['*']) {
  return new NetworkList({ addresses, hosts, ports });
}

/** What everything lists: each of its addresses that is special must still be refused. */
const EVERYTHING = listOf(['0.0.0.0/0', '::/0'], ['*']);

const SPECIAL = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '169.254.0.1',
  '192.0.0.192',
  '192.88.99.1',
  '100.100.100.200',
  '168.63.129.16',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::a9fe:a9fe',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:10.0.0.1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a00:1',
  '64:ff9b:1::a9fe:a9fe',
  '2001:0:53aa:64c::1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'fd00:ec2::254',
  'fd20:ce::254',
];

const ORDINARY = [
  '10.0.0.1',
  '192.168.7.9',
  '172.16.0.1',
  '100.64.0.1',
  '1.1.1.1',
  '126.255.255.255',
  '128.0.0.0',
  '223.255.255.255',
  'fd00::1',
  '2001:db8::1',
  '2003::1',
  'fe00::1',
];

describe('addresses', () => {
  for (const address of SPECIAL)
    test(`${address} is dialled only where it is listed by itself`, () => {
      assert.equal(EVERYTHING.lists(address), false);
      assert.equal(EVERYTHING.takes(address), false, 'also for a name');
      assert.equal(EVERYTHING.rank({ host: parseAddress(address)?.toString() ?? '', port: 1 }), undefined);
      assert.equal(listOf([address]).lists(address), true);
      assert.equal(listOf([address], ['x.lan']).takes(address), true);
    });

  test('all others are listed by their networks, and taken for any listed name', () => {
    for (const address of ORDINARY) {
      assert.equal(EVERYTHING.lists(address), true, address);
      assert.equal(listOf([], ['*']).takes(address), true, address);
      assert.equal(listOf([], ['*']).lists(address), false, address);
    }
  });

  test('an address by itself lists that one and no other', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.oneof(fc.ipV4(), fc.ipV6()), (one, other) => {
        const [a, b] = [parseAddress(one)?.toString(), parseAddress(other)?.toString()];
        if (a === undefined || b === undefined) return;
        assert.equal(listOf([a]).lists(a), true);
        assert.equal(listOf([a]).lists(b), a === b);
      }),
    );
  });

  test('a network has the addresses that share its first bits', () => {
    const bits = (text: string) =>
      (parseAddress(text)?.toByteArray() ?? []).map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (base, length, address) => {
        const masked = [0, 8, 16, 24].map((at) =>
          Number.parseInt(
            bits(base)
              .slice(0, length)
              .padEnd(32, '0')
              .slice(at, at + 8),
            2,
          ),
        );
        const list = listOf([`${masked.join('.')}/${length}`]);
        const shares = bits(base).slice(0, length) === bits(address).slice(0, length);
        if (list.lists(address)) assert(shares);
        else assert(!shares || !EVERYTHING.lists(address));
      }),
      { numRuns: 500 },
    );
  });

  test('only text with one reading is an address', () => {
    for (const text of [
      '127.1',
      '010.0.0.1',
      '0x7f.0.0.1',
      '2130706433',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '1.2.3.4\n',
      'fe80::1%eth0',
      '[::1]',
      '::g',
      ':::',
      '1::2::3',
      '',
    ])
      assert.equal(parseAddress(text), undefined, JSON.stringify(text));
    for (const text of [
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0.1/8',
      '10.0.0.0/8/8',
      '::1/127',
      'fd00::/129',
      '10.0.0.0/-1',
      '10/8',
      '/8',
    ])
      assert.equal(parseCidr(text), undefined, text);
    assert.ok(parseCidr('10.0.0.0/8') && parseCidr('::/0') && parseCidr('0.0.0.0/0') && parseCidr('fd00::/8'));
  });

  test('an address is the one that everything else reads in the text', () => {
    const group = fc.constantFrom('', '0', '1', 'ffff', '0001', '01.2.3.4', '192.0.2.1', '10000');
    const groups = fc.array(group, { minLength: 2, maxLength: 9 }).map((parts) => parts.join(':'));
    fc.assert(
      fc.property(fc.oneof(groups, fc.ipV6()), (text) => {
        const host = URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`).hostname : undefined;
        const address = parseAddress(text);
        assert.equal(address && new URL(`http://[${address.toString()}]`).hostname, host);
      }),
      { numRuns: 2_000, examples: [['::192.0.2.1'], ['::ffff:192.0.2.1'], ['::ffff:01.2.3.4'], ['::ffff:c000:201']] },
    );
  });

  test('addresses inside addresses', () => {
    const inside = (text: string) => {
      const address = parseAddress(text);
      return address && embeddedAddress(address)?.toString();
    };
    for (const outer of [
      '::ffff:10.1.2.3',
      '64:ff9b::10.1.2.3',
      '2002:a01:203::1',
      '::10.1.2.3',
      '::ffff:0:10.1.2.3',
      '64:ff9b:1::a01:203',
    ])
      assert.equal(inside(outer), '10.1.2.3', outer);
    for (const plain of ['10.1.2.3', 'fd00::a01:203', '2001:db8::a01:203'])
      assert.equal(inside(plain), undefined, plain);
  });
});

describe('destinations', () => {
  test('what is written from one is read as the same', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.ipV4(), fc.ipV6()), port, (host, to) => {
        const canonical = parseAddress(host)?.toString() ?? host;
        const endpoint = { host: canonical, port: to };
        assert.deepEqual(parseEndpoint(endpointText(endpoint)), endpoint);
      }),
    );
  });

  test('whatever is read has one form, and no other text is read', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        const endpoint = parseEndpoint(text);
        if (endpoint === undefined) return;
        assert.deepEqual(parseEndpoint(endpointText(endpoint)), endpoint);
        assert.match(endpoint.host, /^[a-z0-9._:-]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('letters of any case and long forms of an address are the same destination', () => {
    assert.deepEqual(parseEndpoint('DB1.Corp:22'), { host: 'db1.corp', port: 22 });
    assert.deepEqual(parseEndpoint('[FD00:0:0:0:0:0:0:1]:22'), { host: 'fd00::1', port: 22 });
    assert.deepEqual(parseEndpoint('[::FFFF:7F00:1]:22'), { host: '::ffff:7f00:1', port: 22 });
  });

  for (const text of [
    '',
    ':22',
    'db',
    'db:',
    'db:0',
    'db:65536',
    'db:022',
    'db:+22',
    'db:22 ',
    ' db:22',
    'db.:22',
    '.db:22',
    'a..b:22',
    '-a:22',
    'a-:22',
    'user@db:22',
    'db/x:22',
    'db:22:22',
    'fd00::1:22',
    '[10.0.0.1:22',
    '[db]:22',
    '[fe80::1%eth0]:22',
    '[::1]22',
    '2130706433:80',
    '127.1:80',
    '0x7f000001:80',
    '0x7f.1:80',
    '0177.0.0.1:80',
    '1.2.3.4.5:80',
    'x.0x1:80',
    'ⓛocal:80',
    'dbı.lan:80',
    `${'a'.repeat(64)}:22`,
    `${'a.'.repeat(127)}ab:22`,
    'db\u0000.lan:22',
    'db\n.lan:22',
    'db%2elan:22',
    '*.lan:22',
  ])
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseEndpoint(text), undefined));
});

describe('patterns', () => {
  test('a name is itself, "*." all below, "*" everything', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const exact = parseNamePattern(one);
        const below = parseNamePattern(`*.${one}`);
        const any = parseNamePattern('*');
        assert(exact && below && any);
        assert.equal(matchesName(exact, other), one === other);
        assert.equal(matchesName(below, other), other.length > one.length && other.endsWith(`.${one}`));
        assert.equal(matchesName(below, `${other}.${one}`), true);
        assert.equal(matchesName(any, other), true);
      }),
    );
  });

  test('what is no pattern', () => {
    for (const text of [
      '',
      '*.',
      '**',
      '*.*.lan',
      'a*.lan',
      'a.*.lan',
      '*lan',
      '.lan',
      'lan.',
      '10.0.0.1',
      '*.1',
      'a b',
    ])
      assert.equal(parseNamePattern(text), undefined, text);
  });

  test('ports', () => {
    assert.deepEqual(parsePorts('22'), { first: 22, last: 22 });
    assert.deepEqual(parsePorts('5000-5999'), { first: 5000, last: 5999 });
    assert.deepEqual(parsePorts('*'), { first: 1, last: 65_535 });
    for (const text of ['', '0', '65536', '1-65536', '0-5', '6-5', '022', '1-', '-1', '1-2-3', '1,2', ' 1', '1e3'])
      assert.equal(parsePorts(text), undefined, text);
  });
});

describe('the list of a network', () => {
  const list = listOf(
    ['10.0.0.0/8', '10.2.0.0/16', '10.2.3.4', '127.0.0.1'],
    ['*', '*.lan', '*.db.lan', 'a.db.lan'],
    ['22', '80-90'],
  );
  const rank = (host: string, to = 22) => list.rank({ host, port: to }) ?? -1;

  test('what is more specific ranks higher', () => {
    const names = ['x.example', 'x.lan', 'x.db.lan', 'a.db.lan'].map((host) => rank(host));
    const addresses = ['10.9.9.9', '10.2.9.9', '10.2.3.4'].map((host) => rank(host));
    for (const ranks of [names, addresses])
      assert.deepEqual(
        ranks,
        ranks.toSorted((a, b) => a - b),
      );
    assert.ok(rank('x.example') >= 0);
  });

  test('ports, unlisted addresses and special ones', () => {
    assert.equal(rank('a.db.lan', 23), -1);
    assert.ok(rank('a.db.lan', 85) > 0);
    assert.equal(rank('11.0.0.1'), -1);
    assert.equal(rank('127.0.0.1'), 32);
    assert.equal(rank('127.0.0.2'), -1);
  });
});
