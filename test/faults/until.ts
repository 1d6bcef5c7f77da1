import assert from 'node:assert/strict';
import { eventually } from '../eventually.ts';
import type { Browser } from '../identity/browser.ts';

/** Asks until the answer has this status: a fault may take a moment to be felt, and to be over. */
export async function until(browser: Browser, url: string, status: number): Promise<void> {
  await eventually(
    async () => {
      const answer = await browser.send(url);
      assert.ok([status, 200, 503].includes(answer.status), `${answer.status} ${answer.body.slice(0, 300)}`);
      return answer.status === status;
    },
    () => `${url} never answered ${status}.`,
  );
}

/** After this long without news of revocations a relay refuses: what still answers after it has heard since. */
const REFUSES_AFTER_MS = 1_000;

/** Asks until every part of the relay is over a fault: its log may be well again a moment before its news of revocations. */
export async function untilWell(browser: Browser, url: string): Promise<void> {
  let since: number | undefined;
  await eventually(
    async () => {
      const { status, body } = await browser.send(url);
      assert.ok(status === 200 || status === 503, `${status} ${body.slice(0, 300)}`);
      since = status === 200 ? (since ?? performance.now()) : undefined;
      return since !== undefined && performance.now() - since > REFUSES_AFTER_MS;
    },
    () => `${url} is not well again.`,
  );
}
