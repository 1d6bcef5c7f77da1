import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { Browser } from '../identity/browser.ts';
import type { Installation } from './installation.ts';

export interface Transfer {
  /** Reference id: of the intent. */
  readonly reference: string;
  /** How it ended for the client: a transfer that breaks is never taken for a complete one. */
  readonly ended: Promise<'complete' | 'broken'>;
}

/** Begins a download that never ends by itself; resolves when the first bytes are there. `who`: a browser, or the headers of a program. */
export async function openTransfer(world: Installation, who: Browser | Record<string, string>): Promise<Transfer> {
  const target = new URL(`${world.wiki}/stream`);
  const request = get(target, {
    agent: false,
    lookup: lookupWithLocalhost,
    headers: who instanceof Browser ? { cookie: who.cookieHeader(target) } : who,
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  response.on('error', () => undefined);
  const ended = new Promise<'complete' | 'broken'>((resolve) =>
    response.on('close', () => resolve(response.complete ? 'complete' : 'broken')),
  );
  await once(response, 'data');
  response.resume();
  const seen = world.target.seen.findLast(({ target }) => target === '/stream');
  return { reference: String(seen?.headers['x-request-id']), ended };
}
