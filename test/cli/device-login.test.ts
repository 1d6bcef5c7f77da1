import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Installation, startInstallation } from '../faults/installation.ts';
import { Browser } from '../identity/browser.ts';
import { startDatabases } from '../store/databases.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('postern login --device at one of two relays, agreed to at the other', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-device-'));
  let here: Installation;
  let there: Installation;

  before(async () => {
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    const databases = undo.use(await startDatabases('postgres'));
    const databaseUrl = (await databases.place('both')).databaseUrl?.reveal() ?? assert.fail('no database');
    here = undo.use(await startInstallation({ databaseUrl, withoutAgent: true, id: 'here' }));
    there = undo.use(
      await startInstallation({ databaseUrl, dataKeyOf: here.dataDir, withoutAgent: true, agent: 'lab', id: 'there' }),
    );
  });
  after(() => undo.disposeAsync());

  const env = { ...process.env, POSTERN_CONFIG_DIR: directory };
  const start = () => {
    const child = spawn(process.execPath, [MAIN, 'login', here.origin, '--device'], { env });
    undo.defer(() => void child.kill('SIGKILL'));
    let said = '';
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    const code = new Promise<string>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const shown = /^ {2}([A-Z]{4}-[A-Z]{4})$/m.exec(said)?.[1];
        if (shown !== undefined) resolve(shown);
      });
    });
    return { child, code, said: () => said, output: () => Buffer.concat(output).toString() };
  };
  const ended = async (child: ChildProcess) => ((await once(child, 'close')) as [number])[0];
  const signInThere = async () => {
    const browser = new Browser();
    await browser.visit(`${there.origin}/sign-in?return=/signed-out`);
    return browser;
  };

  it('is signed in; its twin is refused', async () => {
    const [agreed, refused] = [start(), start()];
    const browser = await signInThere();
    const answer = async (code: string, word: 'allow' | 'refuse') =>
      (await browser.json(`${there.origin}/cli/device/answer`, 'POST', { code, answer: word })).status;
    const exits = Promise.all([ended(agreed.child), ended(refused.child)]);
    const shown = await agreed.code;
    assert.match((await browser.visit(`${there.origin}/cli/device?code=${shown}`)).body, /asks to act as/);
    assert.deepEqual([await answer(shown, 'allow'), await answer(await refused.code, 'refuse')], [200, 200]);
    const [agreedExit, refusedExit] = await exits;
    assert.equal(agreedExit, 0, agreed.said());
    assert.notEqual(refusedExit, 0);
    assert.ok(agreed.said().includes(`${here.origin}/cli/device\n`));
    assert.match(agreed.said(), /Signed in at/);
    assert.equal(agreed.output(), '', 'nothing but data goes there');
    assert.match(refused.said(), /refused/);
  });

  it('stops waiting at Ctrl-C', async () => {
    const { child, code, said } = start();
    await code;
    const exit = ended(child);
    child.kill('SIGINT');
    assert.notEqual(await exit, 0);
    assert.match(said(), /was stopped/);
  });
});
