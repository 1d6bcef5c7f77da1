import assert from 'node:assert/strict';
import type { Browser } from '../identity/browser.ts';
import type { Installation } from './installation.ts';
import { until } from './until.ts';

const AT_ONCE = 6;

export interface Fault {
  readonly name: string;
  readonly strike: () => Promise<void>;
  readonly heal: () => Promise<void>;
}

/** While the fault lasts everyone is answered 503 and the target sees nothing; when it is over all is well by itself. */
export async function assertRefusedDuring(fault: Fault, world: Installation, browser: Browser): Promise<void> {
  assert.equal((await browser.send(`${world.wiki}/before`)).status, 200);
  await fault.strike();
  try {
    await until(browser, `${world.wiki}/striking`, 503);
    const seen = world.target.seen.length;
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, at) => browser.send(`${world.wiki}/during/${at}`)),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(AT_ONCE).fill(503),
    );
    assert.equal(world.target.seen.length, seen, 'the target saw nothing');
  } finally {
    await fault.heal();
  }
  await until(browser, `${world.wiki}/after`, 200);
}
