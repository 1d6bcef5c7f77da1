import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { openChromium } from './chromium.ts';
import { access, createSample, type Sample, sampleLog } from './sample.ts';

const web = fileURLToPath(new URL('../../web', import.meta.url));

const ATTACK = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>';

describe('The console in Chromium', { timeout: 120_000 }, () => {
  let directory: string;
  let sample: Sample;
  let origin: string;
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-console-'));
    await build({
      root: web,
      configFile: join(web, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: directory },
    });
    const log = sampleLog(230);
    log.unshift(access(-1, { path: `/${ATTACK}`, userAgent: ATTACK, name: ATTACK }));
    sample = await createSample(log, { consoleDirectory: directory });
    await sample.app.listen({ port: 0, host: '127.0.0.1' });
    origin = `http://postern.localhost:${(sample.app.server.address() as AddressInfo).port}`;
    browser = await openChromium({ viewport: { width: 1280, height: 800 } });
    page = await browser.context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  after(async () => {
    await browser.dispose();
    await sample.app.close();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    complaints.length = 0;
    sample.appended.length = 0;
  });

  const open = async (who: string, path: string) => {
    await browser.context.addCookies([{ name: 'sample', value: who, url: origin }]);
    const answer = await page.goto(origin + path);
    await page.getByRole('main').locator('h1, h2').first().waitFor();
    return answer;
  };

  it('shows my apps under a strict policy, without a complaint', async () => {
    const answer = await open('alice', '/');
    const policy = answer?.headers()['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.match(policy, /style-src 'self' 'nonce-[\w-]{22}'(;|$)/);
    assert.doesNotMatch(policy, /unsafe/);
    const apps = page.getByRole('main').getByRole('listitem');
    await apps.first().waitFor();
    assert.equal(await apps.count(), 5);
    const link = apps.first().getByRole('link');
    assert.equal(await link.getAttribute('target'), '_blank');
    assert.equal(await link.getAttribute('href'), 'http://builds.postern.localhost:8080/');
    await page.getByRole('searchbox', { name: 'Search apps' }).fill('dash');
    await page.getByText('1 app matches').waitFor({ state: 'attached' });
    assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(246, 247, 247)');
    assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0, 'no dead end in the navigation');
    assert.deepEqual(complaints, []);
  });

  it('says whom to ask when there is nothing, and keeps the log from who may not read it', async () => {
    await open('eve', '/');
    await page.getByText('No apps yet').waitFor();
    assert.equal(
      await page.getByRole('link', { name: 'it@example.com' }).getAttribute('href'),
      'mailto:it@example.com',
    );
    await open('eve', '/audit');
    await page.getByText('The audit log is not open to you').waitFor();
    assert.deepEqual(sample.appended, []);
    assert.deepEqual(complaints, []);
  });

  it('never uses a nonce twice', async () => {
    const nonces = new Set<string>();
    for (let n = 0; n < 3; n += 1) {
      const { body, headers } = await sample.app.inject({ url: '/', cookies: { sample: 'alice' } });
      const nonce = /'nonce-([\w-]+)'/.exec(String(headers['content-security-policy']))?.[1] ?? '';
      assert.ok(body.includes(`nonce="${nonce}"`));
      assert.doesNotMatch(body, /__POSTERN_NONCE__/);
      nonces.add(nonce);
    }
    assert.equal(nonces.size, 3);
  });

  it('shows hostile text of a record as text, in the list and in the record', async () => {
    await open('audrey', '/audit');
    const cell = page.getByRole('cell', { name: ATTACK }).last();
    await cell.waitFor();
    assert.ok((await cell.innerText()).includes(ATTACK));
    await page
      .getByRole('link', { name: /open record/ })
      .first()
      .click();
    const drawer = page.getByRole('dialog', { name: 'Record' });
    await drawer.getByText('Leaf hash').waitFor();
    assert.ok((await drawer.innerText()).split(ATTACK).length > 3);
    assert.equal(await page.evaluate('"attacked" in window'), false);
    assert.equal(await page.locator('main img, [role=dialog] img').count(), 0);
    assert.deepEqual(complaints, []);
  });

  it('keeps filters, text and address in step', async () => {
    await open('audrey', '/audit?query=resource:wiki');
    const text = page.getByRole('textbox', { name: 'Search the log' });
    await page.getByRole('table').waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Resource' }).inputValue(), 'wiki');
    await page.getByRole('combobox', { name: 'Decision' }).click();
    await page.getByRole('option', { name: 'Denied' }).click();
    await page.waitForURL('**/audit?query=resource:wiki+effect:deny');
    assert.equal(await text.inputValue(), 'resource:wiki effect:deny');
    await text.fill('effect:allow');
    await text.press('Enter');
    await page.waitForURL('**/audit?query=effect:allow');
    await page.locator('input[value=Allowed]').waitFor();
    await page.goBack();
    await page.waitForURL('**/audit?query=resource:wiki+effect:deny');
    assert.equal(await text.inputValue(), 'resource:wiki effect:deny');
    await page.getByRole('button', { name: 'Clear' }).first().click();
    await page.waitForURL('**/audit');
    assert.deepEqual(complaints, []);
  });

  it('says what is wrong with a query where it was typed', async () => {
    await open('audrey', '/audit?query=nonsense:1');
    await page.getByText('There is no field "nonsense".').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0);
  });

  it('loads older records when scrolled to the end', async () => {
    await open('audrey', '/audit');
    await page.getByRole('table').waitFor();
    const links = page.getByRole('link', { name: /open record/ });
    for (const last of [99, 199]) await links.nth(last).scrollIntoViewIfNeeded();
    await page.getByText('That is all.').waitFor();
    assert.equal(await links.count(), sample.entries.length);
    assert.equal(sample.appended.length, 3, 'each page is on record');
  });

  it('says how far a search has looked, and looks further when asked', async () => {
    const last = sample.entries.at(-1)?.event.id ?? assert.fail();
    await open('audrey', `/audit?query=sparse+id:${last}`);
    await page.getByText('No record matches so far.').waitFor();
    await page.getByRole('button', { name: 'Look further back' }).click();
    await page.getByRole('button', { name: 'Look further back' }).click();
    await page.getByText('This is the only record.').waitFor();
    assert.equal(sample.appended.length, 3);
  });

  it('opens a record by its address and by keyboard, and closes back into the list', async () => {
    const { id } = sample.entries[5]?.event ?? assert.fail();
    await open('audrey', `/audit/${id}`);
    const drawer = page.getByRole('dialog', { name: 'Record' });
    await drawer.getByText(id).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL('**/audit');
    await drawer.waitFor({ state: 'detached' });
    await page
      .getByRole('link', { name: /open record/ })
      .nth(2)
      .focus();
    await page.keyboard.press('Enter');
    await drawer.getByText('Leaf hash').waitFor();
    assert.deepEqual(complaints, []);
  });

  it('works on a narrow screen without a sideways scroll', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of ['/', '/audit']) {
      await open('sam', path);
      await page.waitForLoadState('networkidle');
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
    }
    await page.getByRole('button', { name: 'Navigation' }).click();
    await page.getByRole('link', { name: 'Apps', exact: true }).click();
    await page.waitForURL(`${origin}/`);
    assert.deepEqual(complaints, []);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('sends me to sign in when my session has ended, and back to where I was', async () => {
    await open('sam', '/audit');
    await page.getByRole('table').waitFor();
    await browser.context.clearCookies();
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.waitForURL('**/sign-in?return=%2Faudit');
  });
});
