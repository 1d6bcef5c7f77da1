import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Memo } from '../../src/lib/memo.ts';

describe('a memo', () => {
  it('never gives a value of another key, nor an old one', () => {
    const moves = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 })), { maxLength: 300 });
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 8 }), (all, limit) => {
        const memo = new Memo<string>(limit);
        const latest = new Map<number, string>();
        all.forEach(([writes, key], at) => {
          if (writes) {
            latest.set(key, `${key} at ${at}`);
            memo.set(String(key), `${key} at ${at}`);
            assert.equal(memo.get(String(key)), latest.get(key));
          } else assert.ok([undefined, latest.get(key)].includes(memo.get(String(key))));
        });
      }),
    );
  });

  it('keeps what is used, and forgets what was not for longest', () => {
    const memo = new Memo<number>(10);
    memo.set('used', 1);
    memo.set('unused', 2);
    for (let other = 0; other < 100; other += 1) {
      memo.set(`other ${other}`, other);
      assert.equal(memo.get('used'), 1);
    }
    assert.equal(memo.get('unused'), undefined);
    const kept = Array.from({ length: 100 }, (_, other) => memo.get(`other ${other}`)).filter(
      (value) => value !== undefined,
    );
    assert.ok(kept.length < 10, `${kept.length} of the others are left`);
  });
});
