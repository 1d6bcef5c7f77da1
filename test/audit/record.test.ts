import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonical, canonicalRecord } from '../../src/audit/canonical.ts';
import { encodeRecord, saltedHash } from '../../src/audit/record.ts';
import type { AccessIntent, AccessOutcome, AuditEvent } from '../../src/domain/audit-event.ts';
import { sortableId } from '../../src/lib/id.ts';
import { intent } from './events.ts';

/** RFC 8785 §3.2, written for reading: what the quick encoder is held to. */
function plainJcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plainJcs).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
  keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${plainJcs((value as Record<string, unknown>)[key])}`).join(',')}}`;
}

const text = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll('\0', ''));
const uuid = fc.uuid({ version: 7 });
const personal = fc.record(
  { email: text, name: text, groups: fc.array(text), path: text, userAgent: text, query: text, issuer: text },
  { requiredKeys: [] },
);
const anyIntent = fc.record(
  {
    kind: fc.constant('access.intent' as const),
    id: uuid,
    at: fc.maxSafeNat(),
    principal: uuid,
    session: uuid,
    personal,
    access: fc.constantFrom('http' as const, 'websocket' as const),
    via: fc.constantFrom('cookie' as const, 'token' as const),
    resource: text,
    method: text,
    host: text,
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    rule: text,
    reasons: fc.array(fc.constantFrom('rule_allowed' as const, 'no_rule_matched' as const)),
    policyVersion: text,
    agent: text,
    ordinal: fc.nat(),
  },
  {
    requiredKeys: [
      'kind',
      'id',
      'at',
      'access',
      'via',
      'resource',
      'method',
      'host',
      'effect',
      'reasons',
      'policyVersion',
    ],
  },
);
const anyOutcome = fc.record({
  kind: fc.constant('access.outcome' as const),
  id: uuid,
  at: fc.maxSafeNat(),
  intent: uuid,
  resource: text,
  end: fc.constantFrom('completed' as const, 'failed' as const),
  status: fc.nat(599),
  bytesUp: fc.maxSafeNat(),
  bytesDown: fc.maxSafeNat(),
  durationMs: fc.nat(),
});
const anyOther = fc.record({
  kind: fc.constant('log.opened' as const),
  id: uuid,
  at: fc.maxSafeNat(),
  relay: text,
  epoch: fc.nat(),
  logs: fc.array(fc.record({ size: fc.nat(), log: text })),
});

describe('record', () => {
  test('a leaf is the plain JCS of its fields, and its hash that of RFC 6962', () => {
    fc.assert(
      fc.property(fc.oneof(anyIntent, anyOutcome, anyOther), text, fc.maxSafeNat(), (event, log, index) => {
        const record = encodeRecord(event as AuditEvent, log, index);
        const block = 'personal' in event ? event.personal : undefined;
        const { personal: _, ...rest } = event as AuditEvent;
        const hash =
          record.salt &&
          createHash('sha256')
            .update(record.salt)
            .update(record.personal ?? '')
            .digest('hex');
        assert.equal(record.leaf, plainJcs({ ...rest, v: 1, log, index, personal: hash }));
        assert.equal(record.personal, block && plainJcs(block));
        const leafBytes = Buffer.concat([Buffer.from([0]), Buffer.from(record.leaf)]);
        assert.deepEqual(record.leafHash, createHash('sha256').update(leafBytes).digest());
      }),
    );
  });

  test('canonical JSON of anything is plain JCS', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const cleaned: unknown = JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '\ufffd'));
        assert.equal(canonical(value), plainJcs(cleaned));
      }),
    );
    assert.equal(canonical({ '10': 1, '9': 2, ä: 3, a: undefined, A: 4 }), '{"10":1,"9":2,"A":4,"ä":3}');
  });

  test('what other languages read differently cannot stand in a record', () => {
    for (const value of [null, 1.5, 2 ** 53, Number.NaN, [null], { a: { b: 0.1 } }, undefined, () => 1, 1n]) {
      assert.throws(() => canonicalRecord(value), RangeError);
    }
    assert.equal(canonicalRecord('a\0b\ud800c\u2028'), '"a\ufffdb\ufffdc\u2028"');
    const event = intent({ rule: 'x\ud800', personal: { name: 'nul\0', path: '/\\u0000 is just text' } });
    const record = encodeRecord(event, 'relay-1', 0);
    assert.equal((JSON.parse(record.leaf) as AccessIntent).rule, 'x\ufffd');
    assert.deepEqual(JSON.parse(record.personal ?? ''), { name: 'nul\ufffd', path: '/\\u0000 is just text' });
    const odd = { ...intent(), ordinal: 1.5 };
    assert.throws(() => encodeRecord(odd, 'relay-1', 0), RangeError);
  });

  test('salts differ, so equal blocks do not show as equal', () => {
    const records = Array.from({ length: 1_000 }, (_, at) => encodeRecord(intent(), 'relay-1', at));
    assert.equal(new Set(records.map((record) => record.salt?.toString('hex'))).size, 1_000);
    const [one] = records;
    assert.ok(one?.salt);
    const leaf = JSON.parse(one.leaf) as { personal: string };
    assert.equal(saltedHash(one.salt, one.personal ?? ''), leaf.personal);
  });

  test('an outcome is filed under its intent', () => {
    const outcome: AccessOutcome = {
      kind: 'access.outcome',
      id: sortableId(),
      at: 1,
      intent: sortableId(),
      resource: 'wiki',
      end: 'completed',
      bytesUp: 0,
      bytesDown: 0,
      durationMs: 0,
    };
    assert.equal(encodeRecord(outcome, 'relay-1', 0).ref, outcome.intent);
  });
});
