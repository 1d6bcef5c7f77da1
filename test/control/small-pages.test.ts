import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { sendPage } from '../../src/control/page.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { html } from '../../src/lib/page/html.ts';
import { openChromium } from './chromium.ts';
import { createSample, type Sample } from './sample.ts';

describe('A small page in Chromium', { timeout: 60_000 }, () => {
  let sample: Sample;
  let origin: string;
  let browser: Awaited<ReturnType<typeof openChromium>>;
  const received: unknown[] = [];

  before(async () => {
    const config = { permission: 'anyone' } as const;
    sample = await createSample([], {
      plugins: [
        async (app) => {
          app.get('/ask', { config }, (_request, reply) =>
            sendPage(reply, 200, {
              title: 'Let it in?',
              body: html`<form data-json action="/answer" method="post">
<input type="hidden" name="machine" value="${'a "laptop"'}">
<p><button name="answer" value="allow">Yes</button> <button class="quiet" name="answer" value="refuse">No</button></p>
</form>`,
            }),
          );
          app.post<{ Body: { answer: string } }>('/answer', { config }, (request) => {
            received.push(request.body);
            if (request.body.answer === 'refuse') throw new PosternError('forbidden', 'It stays <outside>.');
            return { location: '/done' };
          });
          app.get('/done', { config }, (_request, reply) =>
            sendPage(reply, 200, { title: 'Done', body: html`<p>It is in.</p>` }),
          );
        },
      ],
    });
    await sample.app.listen({ port: 0, host: '127.0.0.1' });
    origin = `http://postern.localhost:${(sample.app.server.address() as AddressInfo).port}`;
    browser = await openChromium();
  });
  after(async () => {
    await browser.dispose();
    await sample.app.close();
  });

  it('posts the pressed button as JSON, follows the answer and says a refusal', async () => {
    const page = await browser.context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${origin}/ask`);
    await page.getByRole('button', { name: 'No' }).click();
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByRole('alert').innerText(), 'It stays <outside>.');
    await page.getByRole('button', { name: 'Yes' }).click();
    await page.waitForURL('**/done');
    assert.deepEqual(received, [
      { machine: 'a "laptop"', answer: 'refuse' },
      { machine: 'a "laptop"', answer: 'allow' },
    ]);
    assert.deepEqual(complaints, []);
  });

  it('has no button to press before it can send JSON: a form of the browser’s own would be refused', async () => {
    const page = await browser.context.newPage();
    const script = Promise.withResolvers<void>();
    await page.route('**/page-*.js', async (route) => {
      await script.promise;
      await route.continue();
    });
    const asked = page.waitForRequest('**/page-*.js');
    await page.goto(`${origin}/ask`, { waitUntil: 'commit' });
    await asked;
    const pressed = page.getByRole('button', { name: 'Yes' }).click();
    // Time for the parser to go on, if it would.
    for (let round = 0; round < 50; round++) await page.evaluate('document.readyState');
    script.resolve();
    await pressed;
    await page.waitForURL(`${origin}/done`);
  });
});
