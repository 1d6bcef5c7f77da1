import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { KINDS } from '../store/databases.ts';
import { openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { startJupyter } from './jupyter.ts';
import { createNamespace } from './netns.ts';
import { referenceOn } from './reference.ts';
import { startWorld } from './world.ts';

const skip = process.getuid?.() === 0 ? false : 'only root makes network namespaces';

describe('Jupyter Notebook in a network that can only dial out', { skip }, () => {
  for (const database of KINDS) {
    test(`eve is denied and Jupyter sees nothing; alice runs a cell; the log shows who did it (${database})`, async () => {
      await using namespace = await createNamespace();
      await using jupyter = await startJupyter(namespace.prefix, 'jupyter.postern.localhost');
      await using world = await startWorld({ database, namespace, resources: { jupyter: jupyter.target } });
      await using chromium = await startChromium();
      assert.equal(await refused(namespace.inside, Number(new URL(jupyter.target).port)), true);
      const path = `/notebooks/${jupyter.notebook}`;
      const url = world.origin('jupyter') + path;

      const denied = await openAs(await chromium.person(), 'eve', url);
      const text = await denied.innerText('body');
      assert.match(text, /This is for employees\./);
      assert.equal(jupyter.requests.length, 0);

      const page = await openAs(await chromium.person(), 'alice', url);
      await page.waitForSelector('.kernel_idle_icon');
      await page.click('.CodeMirror');
      await page.keyboard.type('print(6 * 7, "from", "inside")');
      await page.keyboard.press('Shift+Enter');
      const output = await page.waitForSelector('.output_stdout');
      assert.match(await output.innerText(), /42 from inside/);
      assert.ok(jupyter.requests.includes(`GET ${path}`));

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const records = await auditor.audit('who:alice@example.com resource:jupyter');
      const opened = records.find(({ personal }) => personal?.path === path);
      assert.equal(opened?.effect, 'allow');
      assert.equal(opened.personal?.email, 'alice@example.com');
      const channel = records.find(({ personal }) => /\/api\/kernels\/.*\/channels$/.test(personal?.path ?? ''));
      assert.equal(channel?.effect, 'allow');
      const turnedAway = await auditor.audit('who:eve@example.com resource:jupyter');
      assert.ok(turnedAway.every(({ effect }) => effect === 'deny'));
      assert.equal(turnedAway.find(({ id }) => id === referenceOn(text))?.personal?.path, path);
    });
  }
});

/** Nobody outside reaches the address: not even a connection. */
function refused(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => end(false));
    socket.on('error', () => end(true));
    socket.on('timeout', () => end(true));
  });
}
