import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { createLog } from '../../src/lib/log.ts';
import { Health } from '../../src/relay/metrics/health.ts';
import { type RunningRelay, startRelay } from '../../src/relay/start.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';
import { startPostgres, temporaryDirectory } from '../store/databases.ts';

describe('health while PostgreSQL is frozen', () => {
  const held = new AsyncDisposableStack();
  let relay: RunningRelay;
  let cluster: Awaited<ReturnType<typeof startPostgres>>;

  before(async () => {
    cluster = held.use(await startPostgres());
    const { path } = held.use(await temporaryDirectory());
    mkdirSync(join(path, 'policies'));
    writeFileSync(join(path, 'client-secret'), 'hunter2');
    writeFileSync(join(path, 'policies/rules.yaml'), 'rules: []\n');
    const file = join(path, 'postern.yaml');
    const port = await freePort();
    writeFileSync(
      file,
      stringify({
        relay: {
          url: `http://postern.localhost:${port}`,
          listen: `127.0.0.1:${port}`,
          metrics: '127.0.0.1:0',
          drain: '0s',
        },
        database: { url: (await cluster.createDatabase()).reveal() },
        provider: { issuer: 'http://localhost:1', clientId: 'postern', clientSecretFile: './client-secret' },
        roles: { admin: { groups: ['security'] } },
      }),
    );
    const { signal } = new AbortController();
    relay = await startRelay(loadRelayConfig(file), { log: createLog('silent'), signal });
    held.defer(() => relay.close());
  });
  after(async () => {
    await cluster.thaw();
    await held.disposeAsync();
  });

  const status = async (path: string) => (await fetch(`${relay.metricsUrl}/health/${path}`)).status;

  const untilReady = (wanted: number) =>
    eventually(
      async () => (await status('ready')) === wanted,
      () => `readiness is not ${wanted}`,
    );

  test('readiness fails and comes back; liveness and startup do not move', async () => {
    await untilReady(200);
    await cluster.freeze();
    await untilReady(503);
    assert.deepEqual(await (await fetch(`${relay.metricsUrl}/health/ready`)).json(), {
      ok: false,
      reason: 'the database does not answer',
    });
    assert.equal(await status('live'), 200);
    assert.equal(await status('startup'), 200);
    const text = await (await fetch(`${relay.metricsUrl}/metrics`)).text();
    assert.match(text, /^postern_authority_silence_seconds [1-9]/m);
    await cluster.thaw();
    await untilReady(200);
  });
});

test('before it runs and while it stops, a relay is not ready', () => {
  const health = new Health();
  assert.deepEqual(health.startup(), { ok: false, reason: 'starting' });
  assert.deepEqual(health.ready(), { ok: false, reason: 'starting' });
  assert.deepEqual(health.live(), { ok: true });
  health.phase = 'running';
  assert.deepEqual([health.startup(), health.ready()], [{ ok: true }, { ok: true }]);
  health.phase = 'stopping';
  assert.deepEqual(health.startup(), { ok: true });
  assert.deepEqual(health.ready(), { ok: false, reason: 'stopping' });
  health.phase = 'running';
  health.unreadyBecause = () => {
    throw new Error('nobody knows');
  };
  assert.deepEqual(health.ready(), { ok: false, reason: 'nobody knows' }, 'doubt is no');
});
