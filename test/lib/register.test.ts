import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Register } from '../../src/lib/register.ts';

describe('a register', () => {
  it('holds what a Map would hold', () => {
    const moves = fc.array(fc.tuple(fc.constantFrom('set', 'delete', 'clear'), fc.nat({ max: 7 })), { maxLength: 100 });
    fc.assert(
      fc.property(moves, (all) => {
        const register = new Register<number, string>();
        const expected = new Map<number, string>();
        all.forEach(([move, key], at) => {
          if (move === 'set') {
            register.set(key, `${at}`);
            expected.set(key, `${at}`);
          } else if (move === 'delete') {
            register.delete(key);
            expected.delete(key);
          } else {
            register.clear();
            expected.clear();
          }
          assert.equal(register.size, expected.size);
          assert.equal(register.get(key), expected.get(key));
          assert.deepEqual(register.list(), [...expected.values()]);
        });
      }),
    );
  });

  it('keeps next to nothing of what was deleted, also between full collections', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
    const register = new Register<number, number[]>();
    collect({ type: 'major' });
    const before = getHeapStatistics().used_heap_size;
    for (let turn = 0; turn < 20_000; turn += 1) {
      register.set(turn, new Array<number>(1000).fill(0.5));
      register.delete(turn - 26);
      if (turn % 1000 === 0) collect({ type: 'minor' });
    }
    collect({ type: 'minor' });
    collect({ type: 'minor' });
    const kept = getHeapStatistics().used_heap_size - before;
    // Of 160 MB; a Map keeps 68.
    assert.ok(kept < 4e6, `${kept} bytes are kept`);
  });
});
