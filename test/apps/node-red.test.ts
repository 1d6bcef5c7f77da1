import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { npmProgram } from '../../tools/npm-programs.ts';
import { type Chromium, openAs, startChromium } from '../e2e/chromium.ts';
import { signInCommandLine } from '../e2e/command-line.ts';
import { freePort } from '../e2e/free-port.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { Browser } from '../identity/browser.ts';
import { notInstalled } from './missing.ts';
import { startServer } from './server-program.ts';
import { tokenFor } from './token.ts';

const NODE_RED = npmProgram('node-red');

/** Answers GET /hello?to=NAME with the name and the intent's id. */
const FLOW = [
  { id: 'tab1', type: 'tab', label: 'Story' },
  { id: 'in1', type: 'http in', z: 'tab1', url: '/hello', method: 'get', x: 100, y: 100, wires: [['fn1']] },
  {
    id: 'fn1',
    type: 'function',
    z: 'tab1',
    func: "msg.payload = `Hello ${msg.payload.to} of ${msg.req.get('x-request-id')}`; return msg;",
    outputs: 1,
    x: 300,
    y: 100,
    wires: [['out1']],
  },
  { id: 'out1', type: 'http response', z: 'tab1', x: 500, y: 100, wires: [] },
];

/** As the editor does. */
function deployFrom(page: Page): Promise<number> {
  return page.evaluate(async (flow) => {
    const headers = { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' };
    return (await fetch('/flows', { method: 'POST', headers, body: JSON.stringify(flow) })).status;
  }, FLOW);
}

describe('Node-RED', { skip: notInstalled(NODE_RED) }, () => {
  const held = new AsyncDisposableStack();
  let target: string;
  let world: World;
  let chromium: Chromium;

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-node-red-'));
    held.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const port = await freePort();
    target = `http://127.0.0.1:${port}`;
    const settings = join(directory, 'settings.js');
    const quiet = { telemetry: { enabled: false }, diagnostics: { enabled: false }, editorTheme: { tours: false } };
    const own = { uiHost: '127.0.0.1', uiPort: port, credentialSecret: 'of this test', ...quiet };
    writeFileSync(settings, `module.exports = ${JSON.stringify(own)};`);
    const args = [NODE_RED, '--userDir', directory, '--settings', settings];
    held.use(await startServer(process.execPath, args, port));
    chromium = held.use(await startChromium());
    world = held.use(await startWorld({ database: 'embedded', resources: { flows: target } }));
  });
  after(() => held.disposeAsync());

  test('eve gets neither the editor nor its API, and changes nothing', async () => {
    const flows = world.origin('flows');
    const page = await openAs(await chromium.person(), 'eve', `${flows}/`);
    assert.match(await page.innerText('body'), /This is for employees\./);
    const token = await tokenFor(world, await chromium.person(), 'eve', 'flows');
    const headers = { 'Postern-Token': token };
    const body = JSON.stringify(FLOW);
    const deploy = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body };
    assert.equal((await new Browser().send(`${flows}/flows`, deploy)).status, 403);
    const socket = new WebSocket(`${flows.replace('http:', 'ws:')}/comms`, { headers, lookup: lookupWithLocalhost });
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, /403/);
    assert.equal((await fetch(`${target}/hello`)).status, 404);
  });

  test('alice opens the editor, deploys a flow and uses it; the WebSocket tells the editor; all of it is in the log', async () => {
    const page = await openAs(await chromium.person(), 'alice', `${world.origin('flows')}/settings`);
    const connecting = page.waitForEvent('websocket', (socket) => socket.url().endsWith('/comms'));
    await page.goto(`${world.origin('flows')}/`);
    const socket = await connecting;
    await page.waitForSelector('.red-ui-palette-node[data-palette-type="http in"]');
    const told = socket.waitForEvent('framereceived', ({ payload }) =>
      payload.toString().includes('notification/runtime-deploy'),
    );
    assert.equal(await deployFrom(page), 204);
    await told;
    const hello = await page.evaluate(async () => (await fetch('/hello?to=alice')).text());
    assert.match(hello, /^Hello alice of \S+$/);

    const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
    const records = await auditor.audit('who:alice@example.com resource:flows');
    const paths = new Set(records.map(({ method, personal }) => `${method} ${personal?.path}`));
    for (const access of ['GET /', 'GET /comms', 'POST /flows', 'GET /hello']) assert.ok(paths.has(access), access);
    assert.equal(records.find(({ personal }) => personal?.path === '/hello')?.id, hello.split(' ').at(-1));
    const denied = await auditor.audit('who:eve@example.com resource:flows');
    assert.deepEqual([...new Set(denied.map(({ effect }) => effect))], ['deny']);
    for (const path of ['/', '/flows', '/comms'])
      assert.ok(
        denied.some(({ personal }) => personal?.path === path),
        path,
      );
  });
});
