import { type BrowserContext, chromium, type Page } from 'playwright-core';

export interface Chromium extends AsyncDisposable {
  /** The browser of one more person: with its own cookies. */
  person(): Promise<BrowserContext>;
}

/** How every test starts it: headless, and asking nobody on the network. */
export const LAUNCH = {
  executablePath: process.env['POSTERN_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
/** A page that has not come by then never will. */
const TIMEOUT_MS = 60_000;

export async function startChromium(): Promise<Chromium> {
  const browser = await chromium.launch(LAUNCH);
  return {
    async person() {
      const context = await browser.newContext();
      context.setDefaultTimeout(TIMEOUT_MS);
      return context;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Opens an address of Postern without a session, and signs in at the provider. Ends on the page that was asked for. */
export async function openAs(context: BrowserContext, name: string, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await signIn(page, name);
  const { hostname } = new URL(url);
  await page.waitForURL((at) => at.hostname === hostname && !at.pathname.startsWith('/.postern/'));
  return page;
}

/** On the demo provider's page. Name and password are the same. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.fill('input[name=username]', name);
  await page.fill('input[name=password]', name);
  await page.click('button:has-text("Sign in")');
}
