import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { KINDS } from '../store/databases.ts';
import { openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { startJupyter } from './jupyter.ts';
import { createNamespace } from './netns.ts';
import { startWorld } from './world.ts';

describe('Jupyter Notebook in a network that can only dial out', () => {
  for (const database of KINDS) {
    test(`alice opens a notebook and runs a cell; the log shows who did it (${database})`, async () => {
      await using namespace = await createNamespace();
      await using jupyter = await startJupyter(namespace.prefix, 'jupyter.postern.localhost');
      await using world = await startWorld({ database, namespace, resources: { jupyter: jupyter.target } });
      await using chromium = await startChromium();
      assert.equal(await refused(namespace.inside, Number(new URL(jupyter.target).port)), true);

      const url = `${world.origin('jupyter')}/notebooks/${jupyter.notebook}`;
      const page = await openAs(await chromium.person(), 'alice', url);
      await page.waitForSelector('.kernel_idle_icon');
      await page.click('.CodeMirror');
      await page.keyboard.type('print(6 * 7, "from", "inside")');
      await page.keyboard.press('Shift+Enter');
      const output = await page.waitForSelector('.output_stdout');
      assert.match(await output.innerText(), /42 from inside/);

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const records = await auditor.audit('who:alice@example.com resource:jupyter');
      const opened = records.find(({ personal }) => personal?.path === `/notebooks/${jupyter.notebook}`);
      assert.equal(opened?.personal?.email, 'alice@example.com');
      const channel = records.find(({ personal }) => /\/api\/kernels\/.*\/channels$/.test(personal?.path ?? ''));
      assert.equal(channel?.effect, 'allow');
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
