import assert from 'node:assert/strict';
import type { Browser } from '../identity/browser.ts';

/** Asks until the answer has this status: a fault may take a moment to be felt, and to be over. */
export async function until(browser: Browser, url: string, status: number): Promise<void> {
  for (;;) {
    const answer = await browser.send(url);
    if (answer.status === status) return;
    assert.ok(answer.status === 200 || answer.status === 503, `${answer.status} ${answer.body.slice(0, 300)}`);
  }
}
