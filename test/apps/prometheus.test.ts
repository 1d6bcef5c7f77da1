import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Chromium, openAs, startChromium } from '../e2e/chromium.ts';
import { freePort } from '../e2e/free-port.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { missing } from './missing.ts';
import { startServer } from './server-program.ts';

const PROMETHEUS = '/usr/bin/prometheus';

describe('Prometheus', { skip: missing([PROMETHEUS], 'prometheus') }, () => {
  const held = new AsyncDisposableStack();
  let world: World;
  let chromium: Chromium;

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-prometheus-'));
    held.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const port = await freePort();
    const file = join(directory, 'prometheus.yml');
    // It watches itself.
    writeFileSync(
      file,
      `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: self\n    static_configs: [{ targets: ["127.0.0.1:${port}"] }]\n`,
    );
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    held.use(await startServer(PROMETHEUS, args, port));
    chromium = held.use(await startChromium());
    world = held.use(await startWorld({ database: 'embedded', resources: { prometheus: `http://127.0.0.1:${port}` } }));
  });
  after(() => held.disposeAsync());

  test('its page and its queries work through the gateway', async () => {
    const page = await openAs(await chromium.person(), 'alice', `${world.origin('prometheus')}/graph`);
    await page.waitForLoadState('load');
    assert.match(await page.title(), /Prometheus/);
    const up = async () =>
      page.evaluate(async () => {
        const asked = await fetch('/api/v1/query', {
          method: 'POST',
          body: new URLSearchParams({ query: 'up{job="self"}' }),
        });
        return ((await asked.json()) as { data: { result: { value: [number, string] }[] } }).data.result[0]?.value[1];
      });
    while ((await up()) !== '1') await page.waitForTimeout(200);
    const metrics = await page.evaluate(async () => (await fetch('/metrics')).text());
    assert.match(metrics, /^prometheus_build_info/m);
  });

  test('a contractor is denied', async () => {
    const page = await openAs(await chromium.person(), 'eve', `${world.origin('prometheus')}/graph`);
    assert.match(await page.innerText('body'), /This is for employees\./);
  });
});
