import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Roster } from '../../src/lib/roster.ts';

class Guest {
  seat = -1;
}

describe('a roster', () => {
  it('holds what a Set would hold, whatever comes and goes', () => {
    const moves = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 11 })), { maxLength: 200 });
    fc.assert(
      fc.property(moves, (all) => {
        const guests = Array.from({ length: 12 }, () => new Guest());
        const roster = new Roster<Guest>();
        const expected = new Set<Guest>();
        for (const [comes, which] of all) {
          const guest = guests[which] ?? new Guest();
          if (!comes) assert.equal(roster.delete(guest), expected.delete(guest));
          else if (expected.has(guest)) assert.throws(() => roster.add(guest), RangeError);
          else {
            roster.add(guest);
            expected.add(guest);
          }
          assert.equal(roster.size, expected.size);
          assert.deepEqual(new Set(roster.list()), expected);
          assert.equal(
            roster.count((each) => each === guest),
            expected.has(guest) ? 1 : 0,
          );
        }
      }),
    );
  });

  it('does not take out what is in another one', () => {
    const [first, second] = [new Roster<Guest>(), new Roster<Guest>()];
    const [here, there] = [new Guest(), new Guest()];
    first.add(here);
    second.add(there);
    assert.equal(first.delete(there), false);
    assert.deepEqual([first.size, second.size], [1, 1]);
  });

  it('keeps next to nothing of those who left, also between full collections', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
    class Laden extends Guest {
      readonly load = new Array<number>(100).fill(0.5);
    }
    const roster = new Roster<Laden>();
    collect({ type: 'major' });
    const before = getHeapStatistics().used_heap_size;
    const here: Laden[] = [];
    for (let turn = 0; turn < 100_000; turn += 1) {
      const guest = new Laden();
      roster.add(guest);
      here.push(guest);
      if (here.length > 26) roster.delete(here.shift() ?? guest);
      if (turn % 5000 === 0) collect({ type: 'minor' });
    }
    collect({ type: 'minor' });
    collect({ type: 'minor' });
    const kept = getHeapStatistics().used_heap_size - before;
    // A Set keeps 24 MB of the 80 here.
    assert.ok(kept < 2e6, `${kept} bytes are kept`);
  });
});
