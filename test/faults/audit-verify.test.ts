import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLog } from '../../src/lib/log.ts';
import { Frontier } from '../../src/proof/frontier.ts';
import { leafHash } from '../../src/proof/hash.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import type { Browser } from '../identity/browser.ts';
import { startPostgres } from '../store/databases.ts';
import { type Installation, startInstallation } from './installation.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

test('postern audit verify: green beside a running relay; a checkpoint kept elsewhere finds a cut tail and a rewritten past', async () => {
  await using cluster = await startPostgres();
  const databaseUrl = await cluster.createDatabase();
  await using world = await startInstallation({ databaseUrl: databaseUrl.reveal() });
  const browser = await world.signIn();
  await ask(world, browser, 5);
  const kept = await fetchCheckpoint(world, browser);
  await ask(world, browser, 5);

  const green = await verify(world, '--checkpoint', kept.file, '--key', kept.key);
  assert.match(green.stdout, /^result +ok$/m);
  assert.equal(green.code, 0);
  const forged = join(dirname(kept.file), 'forged');
  writeFileSync(forged, kept.checkpoint.replace(/\n\d+\n/, '\n1\n'));
  assert.match((await verify(world, '--checkpoint', forged)).stderr, /signature is wrong/);

  await world.stopRelay();
  await using store = await openStore({ databaseUrl, dataDir: world.dataDir, log: createLog('silent') });
  const whole = await verify(world);
  assert.match(whole.stdout, /^checkpoints +0 given, 2 in the database$/m);

  // Somebody with every right on the database and nobody watching: the log is cut and made to fit again.
  await store.pool.query('DELETE FROM checkpoint');
  await store.pool.query('DELETE FROM audit_record WHERE index >= $1', [kept.size - 2]);
  await makeFit(store);
  assert.equal((await verify(world)).code, 0, 'nothing in the database tells');
  const cut = await verify(world, '--checkpoint', kept.file, '--key', kept.key);
  assert.equal(cut.code, 1);
  assert.match(cut.stdout, new RegExp(`^FAULT +at ${kept.size}: the log does not begin as the checkpoint`, 'm'));
});

test('postern audit verify: a record changed before the checkpoint, and the tree made to fit, is found', async () => {
  await using cluster = await startPostgres();
  const databaseUrl = await cluster.createDatabase();
  await using world = await startInstallation({ databaseUrl: databaseUrl.reveal() });
  const browser = await world.signIn();
  await ask(world, browser, 5);
  const kept = await fetchCheckpoint(world, browser);
  await world.stopRelay();
  await using store = await openStore({ databaseUrl, dataDir: world.dataDir, log: createLog('silent') });
  await store.pool.query(`UPDATE audit_record SET leaf = replace(leaf, '"GET"', '"PUT"')`);
  const naive = await verify(world);
  assert.match(naive.stdout, /a record was changed/);
  await makeFit(store);
  const kinds = /the log does not begin as the checkpoint/;
  assert.match((await verify(world)).stdout, kinds, 'the checkpoints in the database tell');
  await store.pool.query('DELETE FROM checkpoint');
  assert.match((await verify(world, '--checkpoint', kept.file)).stdout, kinds);
});

test('postern audit verify on the embedded database: refused in words while its relay runs, green after', async () => {
  await using world = await startInstallation({});
  await ask(world, await world.signIn(), 3);
  const refused = await verify(world);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /in use by process \d+/);
  await world.stopRelay();
  const { stdout, code } = await verify(world, '--json');
  assert.equal(code, 0);
  const result = JSON.parse(stdout) as { size: number; faults: unknown[]; checkpoints: { kept: number } };
  assert.deepEqual(result.faults, []);
  assert.ok(result.size > 5);
  assert.equal(result.checkpoints.kept, 1, 'one of its end');
});

async function ask(world: Installation, browser: Browser, times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    assert.equal((await browser.send(`${world.wiki}/${at}`)).status, 200);
  }
}

async function fetchCheckpoint(world: Installation, browser: Browser) {
  const { status, body } = await browser.send(`${world.origin}/api/v1/audit/checkpoint`);
  assert.equal(status, 200, body);
  const answer = JSON.parse(body) as { checkpoint: string; key: string };
  const file = join(dirname(world.relayFile), 'kept-checkpoint');
  writeFileSync(file, answer.checkpoint);
  return { ...answer, file, size: Number(answer.checkpoint.split('\n')[1]) };
}

function verify(world: Installation, ...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'audit', 'verify', '--config', world.relayFile, ...args],
      (error, stdout, stderr) => resolve({ stdout, stderr, code: error ? Number(error.code) : 0 }),
    );
  });
}

/** Leaf hashes and the head as they follow from the leaves: what an attacker would leave behind. */
async function makeFit(store: Store): Promise<void> {
  const { rows } = await store.pool.query<{ index: number; leaf: string }>(
    'SELECT index, leaf FROM audit_record ORDER BY index',
  );
  const frontier = new Frontier();
  for (const { index, leaf } of rows) {
    frontier.append(leafHash(leaf));
    await store.pool.query('UPDATE audit_record SET leaf_hash = $2 WHERE index = $1', [index, leafHash(leaf)]);
  }
  await store.pool.query('UPDATE audit_log SET size = $1, root = $2, frontier = $3', [
    frontier.size,
    frontier.root(),
    frontier.encode(),
  ]);
}
