import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

/** A browser of one person: its own cookies, nothing else open. */
export interface PersonsBrowser extends AsyncDisposable {
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startChromium(): Promise<PersonsBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'postern-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env['POSTERN_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
  });
  context.setDefaultTimeout(20_000);
  return {
    context,
    newPage: () => context.newPage(),
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** On the demo provider's page: name and password are the same. Ends where the sign-in leads. */
export async function signInAs(page: Page, name: string): Promise<void> {
  await page.fill('input[name=username]', name);
  await page.fill('input[name=password]', name);
  await page.click('button:has-text("Sign in")');
  await page.waitForURL((url) => url.hostname.endsWith('postern.localhost') && !url.pathname.startsWith('/oidc/'));
}
