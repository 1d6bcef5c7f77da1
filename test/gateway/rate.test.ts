import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RateLimiter } from '../../src/lib/rate.ts';
import { asAlice, asBob, createWorld } from './world.ts';

describe('the rate of a person', () => {
  it('ends in 429 for that person alone, one record for all that was too much', async () => {
    const rate = { perSecond: 1, burst: 3 };
    await using world = await createWorld((_req, res) => res.end('x'), { personRate: rate });
    world.now = Date.now();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await world.get('/', asAlice)).status);
    assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429]);
    assert.equal((await world.get('/', asBob)).status, 200);
    world.now += 1_000;
    assert.equal((await world.get('/', asAlice)).status, 200);
    assert.equal(world.seen.length, 5);
    assert.equal(world.audit.intents.length, 5, 'what is too much does not fill the log');
    await world.gateway.close();
    const summary = world.audit.events.filter((event) => event.kind === 'access.throttled');
    assert.deepEqual(
      summary.map(({ principal, count }) => ({ principal, count })),
      [{ principal: 'principal-alice', count: 3 }],
    );
  });

  it('never lets more through than burst and time allow, and never less to one who keeps to it', () => {
    const steps = fc.array(fc.nat(3_000), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        steps,
        (perSecond, burst, waits) => {
          const limiter = new RateLimiter({ perSecond, burst });
          let now = 0;
          let passed = 0;
          for (const wait of waits) {
            now += wait;
            const admitted = limiter.take('one', now);
            if (wait >= 1000 / perSecond) assert.ok(admitted);
            if (admitted) passed += 1;
            assert.ok(passed <= burst + (now * perSecond) / 1000 + 1e-6);
          }
        },
      ),
    );
  });
});
