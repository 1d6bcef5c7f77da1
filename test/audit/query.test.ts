import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { networkOf } from '../../src/audit/network.ts';
import { parseAuditQuery, QueryError } from '../../src/audit/query.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');

describe('search language', () => {
  test('reads fields, words, quotes and times', () => {
    assert.deepEqual(
      parseAuditQuery(' who:alice@example.com Who:"Alice A." effect:deny method:get path:/x "two words" wiki ', NOW),
      {
        fields: { who: ['alice@example.com', 'Alice A.'], effect: ['deny'], method: ['GET'], path: ['/x'] },
        words: ['two words', 'wiki'],
      },
    );
    assert.deepEqual(parseAuditQuery('since:2026-11-20 until:2026-11-20', NOW), {
      fields: {},
      words: [],
      since: Date.parse('2026-11-20T00:00:00Z'),
      until: Date.parse('2026-11-21T00:00:00Z'),
    });
    assert.equal(parseAuditQuery('since:8h', NOW).since, NOW - 8 * 3_600_000);
    assert.equal(parseAuditQuery('since:2026-11-20T10:30+02:00', NOW).since, Date.parse('2026-11-20T08:30Z'));
    assert.deepEqual(parseAuditQuery('"http://x"', NOW).words, ['http://x']);
    assert.deepEqual(parseAuditQuery('', NOW), { fields: {}, words: [] });
  });

  test('says at which column it stumbled, and over what', () => {
    for (const [query, column, words] of [
      ['wiki efect:deny', 6, 'Did you mean effect'],
      ['effect:maybe', 8, 'allow or deny'],
      ['who:', 5, 'missing'],
      ['who:""', 5, 'missing'],
      ['since:2026-02-31', 7, 'Write a time'],
      ['since:yesterday', 7, 'Write a time'],
      ['id:123', 4, 'UUID'],
      ['a "b', 3, 'no partner'],
      ['kind:access.outcome', 6, 'access.intent'],
    ] as const) {
      assert.throws(
        () => parseAuditQuery(query, NOW),
        (error) => error instanceof QueryError && error.column === column && error.message.includes(words),
        query,
      );
    }
  });

  test('any text is a filter or an error at one of its columns', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('who:"\\ ab-/é0')) }), (text) => {
        try {
          parseAuditQuery(text, NOW);
        } catch (error) {
          assert.ok(error instanceof QueryError && error.column >= 1 && error.column <= text.length + 1);
        }
      }),
    );
  });
});

test('addresses count by network', () => {
  for (const [address, network] of [
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:0:1::1', '2001:db8:0::/48'],
    ['2001:0DB8::7', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['64:ff9b:1::192.0.2.1', '64:ff9b:1::/48'],
    ['', 'unknown'],
    ['a unix socket', 'unknown'],
  ] as const) {
    assert.equal(networkOf(address), network, address);
  }
});
