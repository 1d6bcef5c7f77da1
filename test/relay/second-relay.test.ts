import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { askAdminLink } from '../../src/cli/admin-link.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { refuseSecondRelay } from '../../src/relay/admin-socket.ts';
import { startRecordingTarget } from '../e2e/recording-target.ts';
import { startWorld } from '../e2e/world.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

for (const database of ['embedded', 'postgres'] as const) {
  test(`a relay started twice by mistake (${database}): the second is refused, and the first still writes its log`, async () => {
    await using target = await startRecordingTarget();
    await using world = await startWorld({ database, resources: { wiki: target.url } });
    const config = join(world.directory, 'postern.yaml');
    const again = spawnSync(process.execPath, [MAIN, 'relay', '--config', config], { encoding: 'utf8' });
    assert.equal(again.status, 1, again.stderr);
    assert.match(again.stderr, /A relay already runs on the data directory .* Stop that one first/);
    const { dataDir } = loadRelayConfig(config);
    // Each link is a record.
    for (const _ of [1, 2]) assert.match((await askAdminLink(dataDir, 'root')).url, /admin-link#code=/);
  });
}

test('a data directory that cannot be made is said to be that', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-second-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'file'), '');
  await assert.rejects(
    refuseSecondRelay(join(directory, 'file', 'data')),
    /This user cannot write to the data directory/,
  );
  assert.equal(readFileSync(join(directory, 'file'), 'utf8'), '');
});
