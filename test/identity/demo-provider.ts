import { type RunningProvider, startProvider } from '../../trial/provider.ts';
import { freePort } from '../e2e/free-port.ts';
import type { Answer, Browser } from './browser.ts';
import { CLIENT_SECRET } from './relay.ts';

/** The trial's provider (oidc-provider) on a free port. */
export async function startDemoProvider(relay: string, directory: string): Promise<RunningProvider> {
  return startProvider({ port: await freePort(), directory, relay, clientSecret: CLIENT_SECRET });
}

/** Visits an address and signs in on the way, if the provider asks. */
export async function visitAs(browser: Browser, name: string, url: string): Promise<Answer> {
  const answer = await browser.visit(url);
  return answer.url.pathname.startsWith('/sign-in/') ? fillIn(browser, name, answer.url) : answer;
}

/** The provider's form. */
export function fillIn(browser: Browser, name: string, form: URL): Promise<Answer> {
  return browser.visit(form, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ username: name, password: name }).toString(),
  });
}
