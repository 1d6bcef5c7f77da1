import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../src/lib/log.ts';
import { createCluster } from '../../src/store/embedded/create-cluster.ts';
import { startEmbedded } from '../../src/store/embedded/start.ts';
import { LanePool } from '../../src/store/lane-pool.ts';

const log = createLog('silent');

test('a first start clears what one that died left behind; the database knows how little memory it has', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-create-'));
  try {
    mkdirSync(join(directory, 'data.new-Ab12Cd'));
    writeFileSync(join(directory, 'data.new-Ab12Cd', 'PG_VERSION'), '18\n');
    await using embedded = await startEmbedded(directory, log);
    assert.deepEqual(readdirSync(directory).toSorted(), ['data', 'lock']);
    const pool = new LanePool(embedded.address);
    const { rows } = await pool.query<{ mb: number }>(
      `SELECT setting::int / 128 AS mb FROM pg_settings WHERE name = 'shared_buffers'`,
    );
    await pool.end();
    assert.ok((rows[0]?.mb ?? 0) <= 32, 'PGlite adds a little to what it is told');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('where a database cannot be created, nothing is left and the reason is said', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-create-'));
  try {
    // A directory that is not empty takes no rename over it.
    mkdirSync(join(directory, 'data'));
    writeFileSync(join(directory, 'data', 'stray'), '');
    await assert.rejects(createCluster(join(directory, 'data')), { code: 'database_unavailable' });
    assert.ok(existsSync(join(directory, 'data', 'stray')), 'what is not ours stays');
    assert.deepEqual(readdirSync(directory), ['data']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
