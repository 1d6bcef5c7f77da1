import assert from 'node:assert/strict';
import type { Browser } from '../identity/browser.ts';
import type { Installation } from './installation.ts';
import { until, untilWell } from './until.ts';

const AT_ONCE = 6;
/** A log line that repeats is counted for so long. */
const SAID_EVERY_MS = 10_000;
/** Bound of a commit in an installation whose database is to be unwell: what takes longer is refused. */
export const SHORT_COMMIT = '400ms';
/** By which two clocks may differ over that time. */
const CLOCK_MS = 100;

export interface Fault {
  readonly name: string;
  readonly strike: () => Promise<void>;
  readonly heal: () => Promise<void>;
  /** It may be over for moments, such as when a full disk gets room by a checkpoint: then 200 is right, too. */
  readonly flickers?: boolean;
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
    const served = answers.filter(({ status }) => status !== 503).map(({ status }) => status);
    assert.deepEqual(served, fault.flickers ? Array(served.length).fill(200) : []);
    assert.equal(world.target.seen.length - seen, served.length, 'the target saw nothing else');
  } finally {
    await fault.heal();
  }
  await untilWell(browser, `${world.wiki}/after`);
  assertSaidOnce(world, 'an intent was not recorded; nothing was forwarded');
}

/** However many requests were refused: one line, and then how many there were. */
function assertSaidOnce({ lines }: Installation, text: string): void {
  const first = lines.all.filter(({ msg, times }) => msg === text && times === undefined);
  for (const [at, { time }] of first.entries())
    assert.ok(time - (first[at - 1]?.time ?? 0) > SAID_EVERY_MS - CLOCK_MS, `"${text}" again and again`);
}
