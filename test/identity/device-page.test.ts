import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openChromium } from '../control/chromium.ts';
import { startDatabases } from '../store/databases.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const undo = new AsyncDisposableStack();
let relay: TestRelay;
let browser: Awaited<ReturnType<typeof openChromium>>;

before(async () => {
  const databases = undo.use(await startDatabases('postgres'));
  const store = undo.use(await databases.open('device-page'));
  const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
  relay = undo.use(await startRelay(store, async () => provider.issuer));
  browser = await openChromium();
  undo.defer(() => browser.dispose());
});
after(() => undo.disposeAsync());

test('a person types the code in their browser, sees which machine asks, and agrees', { timeout: 60_000 }, async () => {
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  const { deviceCode, userCode } = await relay.identity.deviceCodes.begin('build01 <b>', '192.0.2.7');
  await page.goto(`${relay.origin}/cli/device`);
  await page.getByRole('textbox', { name: 'Code' }).fill(userCode.toLowerCase());
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Let a command line act as you?' }).waitFor();
  const said = await page.getByRole('main').innerText();
  for (const fact of ['build01 <b>', '192.0.2.7, not yours here', userCode]) assert.ok(said.includes(fact), said);
  await page.getByRole('button', { name: 'Let it act as me' }).click();
  await page.getByRole('heading', { name: 'The command line is signed in' }).waitFor();
  assert.equal((await relay.identity.deviceCodes.poll(deviceCode)).state, 'issued');
  assert.deepEqual(complaints, []);
});

test('a code that nobody shows gets a page that says what to do', { timeout: 60_000 }, async () => {
  const page = await browser.context.newPage();
  const answer = await page.goto(`${relay.origin}/cli/device?code=BBBB-BBBB`);
  assert.equal(answer?.status(), 404);
  await page.getByRole('alert').getByText('No machine waits with this code').waitFor();
  await page.getByRole('textbox', { name: 'Code' }).waitFor();
});
