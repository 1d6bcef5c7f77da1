import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sortableId } from '../../src/lib/id.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Far ahead of the clock, since ids of one process never go back. */
const LATER = Date.now() + 1e12;

function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

describe('sortable ids', () => {
  test('are UUIDs of version 7 that tell their time', () => {
    for (const ms of [Date.now(), 0x01ff_ffff_ffff]) {
      const id = sortableId(ms);
      assert.match(id, UUID_V7);
      assert.equal(timeOf(id), ms);
    }
  });

  test('sort as they were made, within a millisecond and when its counter is full', () => {
    const ids = Array.from({ length: 10_000 }, () => sortableId(LATER));
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => UUID_V7.test(id)));
    assert.equal(timeOf(ids.at(-1) ?? ''), LATER + 2);
  });

  test('do not go back with the clock', () => {
    const one = sortableId(LATER + 10);
    assert.ok(sortableId(LATER - 60_000) > one);
  });

  test('are random in all of their last 62 bits', () => {
    const seen = [0n, 0n];
    for (let n = 0; n < 200; n += 1) {
      const bits = BigInt(
        `0x${sortableId(LATER + 100 + n)
          .replaceAll('-', '')
          .slice(16)}`,
      );
      seen[0] = (seen[0] ?? 0n) | bits;
      seen[1] = (seen[1] ?? 0n) | ~bits;
    }
    const random = (1n << 62n) - 1n;
    assert.equal((seen[0] ?? 0n) & random, random);
    assert.equal((seen[1] ?? 0n) & random, random);
  });
});
