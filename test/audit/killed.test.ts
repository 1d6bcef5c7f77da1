import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Recorded } from '../../src/domain/audit-event.ts';
import { createLog } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open.ts';
import { temporaryDirectory } from '../store/databases.ts';
import { assertWhole } from './whole.ts';

const CHILD = fileURLToPath(new URL('./append-child.ts', import.meta.url));

test('the embedded database: one process at a time, and kill -9 loses no acknowledged record', async () => {
  await using directory = await temporaryDirectory();
  const options = { dataDir: directory.path, log: createLog('silent') };
  const acknowledged: Recorded[] = [];
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [CHILD, directory.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    acknowledged.push(...(await readUntilKilled(child, 200, () => refusedWhileHeld(options, child))));
    await using store = await openStore(options);
    await assertWhole(store, 'killed', acknowledged);
  }
});

/** A frozen holder is a holder. */
async function refusedWhileHeld(options: Parameters<typeof openStore>[0], child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  await assert.rejects(openStore(options), {
    code: 'database_unavailable',
    message: new RegExp(`process ${child.pid}`),
  });
}

async function readUntilKilled(child: ChildProcess, count: number, before: () => Promise<void>): Promise<Recorded[]> {
  let text = '';
  let lines = 0;
  const enough = Promise.withResolvers<void>();
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    lines += chunk.split('\n').length - 1;
    if (lines >= count) enough.resolve();
  });
  const closed = once(child, 'close');
  await Promise.race([enough.promise, closed]);
  await before();
  child.kill('SIGKILL');
  await closed;
  assert.ok(lines >= count);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Recorded);
}
