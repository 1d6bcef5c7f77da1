import type { BrowserContext } from 'playwright-core';
import { openAs } from '../e2e/chromium.ts';
import type { World } from '../e2e/world.ts';

/** A token of a person for one resource, as a program would carry it. */
export async function tokenFor(world: World, context: BrowserContext, name: string, resource: string): Promise<string> {
  const page = await openAs(context, name, `${world.relay}/`);
  const audience = world.origin(resource);
  const answer = await page.evaluate(async (wanted) => {
    const response = await fetch('/api/v1/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ audience: wanted }),
    });
    return (await response.json()) as { token?: string };
  }, audience);
  await page.close();
  if (answer.token === undefined) throw new Error(`No token for ${audience}: ${JSON.stringify(answer)}`);
  return answer.token;
}
