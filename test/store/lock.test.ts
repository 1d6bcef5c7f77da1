import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lockDirectory } from '../../src/store/embedded/lock.ts';
import { temporaryDirectory } from './databases.ts';

const LOCK = new URL('../../src/store/embedded/lock.ts', import.meta.url).href;
const HOLDER = `
  const { lockDirectory } = await import(${JSON.stringify(LOCK)});
  await lockDirectory(process.argv[1]);
  process.stdout.write('held');
  setInterval(() => undefined, 1000);
`;

describe('lock of a directory', () => {
  test('one at a time; free again when given back', async () => {
    await using directory = await temporaryDirectory();
    {
      await using _held = await lockDirectory(directory.path);
      await assert.rejects(lockDirectory(directory.path), {
        code: 'database_unavailable',
        message: new RegExp(`process ${process.pid}`),
      });
    }
    await using _again = await lockDirectory(directory.path);
  });

  test('of many that start at once, at most one gets it', async () => {
    await using directory = await temporaryDirectory();
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => lockDirectory(directory.path)));
    const held = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.ok(held.length <= 1);
    for (const lock of held) await lock[Symbol.asyncDispose]();
    await using _later = await lockDirectory(directory.path);
  });

  test('a frozen holder keeps it, a killed one does not', async () => {
    await using directory = await temporaryDirectory();
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(holder, 'close');
    await once(holder.stdout, 'data');
    holder.kill('SIGSTOP');
    await assert.rejects(lockDirectory(directory.path), { message: new RegExp(`process ${holder.pid}`) });
    holder.kill('SIGKILL');
    await closed;
    await using _held = await lockDirectory(directory.path);
    const names = await readdir(join(directory.path, 'lock'));
    assert.equal(names.length, 1, 'what the dead one left is gone');
  });

  test('a long path works', async () => {
    await using directory = await temporaryDirectory();
    const long = join(directory.path, 'x'.repeat(120), 'y'.repeat(120));
    await mkdir(long, { recursive: true });
    await using _held = await lockDirectory(long);
    await assert.rejects(lockDirectory(long), { code: 'database_unavailable' });
  });
});
