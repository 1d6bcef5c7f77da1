import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { KINDS } from '../store/databases.ts';
import { type Chromium, openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { type RecordingTarget, startRecordingTarget } from './recording-target.ts';
import { EMPLOYEES_ONLY, startWorld, type World } from './world.ts';

for (const database of KINDS) {
  describe(`what is open follows, on ${database}`, () => {
    const held = new AsyncDisposableStack();
    let world: World;
    let chromium: Chromium;
    let target: RecordingTarget;

    before(async () => {
      chromium = held.use(await startChromium());
      target = held.use(await startRecordingTarget());
      world = held.use(await startWorld({ database, resources: { wiki: target.url } }));
    });
    after(() => held.disposeAsync());

    test('signing out cuts the open WebSocket, and the log says why', async () => {
      const context = await chromium.person();
      const page = await openAs(context, 'alice', `${world.origin('wiki')}/`);
      await openSocket(page);
      const home = await context.newPage();
      await home.goto(world.relay);
      const me = (await home.evaluate(async () => (await fetch('/api/v1/me')).json())) as { signOut: string };
      await home.evaluate(
        (path) => fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
        me.signOut,
      );
      await socketClosed(page);
      const again = await page.evaluate(async () => (await fetch('/')).status);
      assert.equal(again, 401);
      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const ends = (await auditor.audit('who:alice@example.com')).map(({ outcome }) => outcome);
      assert.ok(ends.some((outcome) => outcome?.end === 'terminated' && outcome.reason === 'signed_out'));
    });

    test('a rule that no longer allows cuts the open WebSocket of the one it denies, and not of another', async () => {
      const bob = await openAs(await chromium.person(), 'bob', `${world.origin('wiki')}/`);
      const sam = await openAs(await chromium.person(), 'sam', `${world.origin('wiki')}/`);
      await openSocket(bob);
      await openSocket(sam);
      world.writePolicy({
        rules: [
          ...EMPLOYEES_ONLY.rules,
          { id: 'not-sales', effect: 'deny', who: ['provider:sales'], what: ['any-resource'] },
        ],
      });
      await socketClosed(bob);
      assert.equal(await echoes(sam), true);
    });
  });
}

async function openSocket(page: Page): Promise<void> {
  await page.evaluate(
    (address) =>
      new Promise<void>((resolve, reject) => {
        const socket = new WebSocket(address);
        Object.assign(globalThis, { socket });
        socket.onmessage = () => resolve();
        socket.onerror = () => reject(new Error('The WebSocket did not open.'));
      }),
    new URL('/socket', page.url()).href.replace('http', 'ws'),
  );
}

async function socketClosed(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as unknown as { socket: WebSocket }).socket.readyState === 3);
}

function echoes(page: Page): Promise<boolean> {
  return page.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        const { socket } = globalThis as unknown as { socket: WebSocket };
        socket.onmessage = ({ data }) => resolve(data === 'still here');
        socket.onclose = () => resolve(false);
        socket.send('still here');
      }),
  );
}
