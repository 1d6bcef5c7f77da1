import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { type LineLog, SparingLog } from '../../src/lib/sparing-log.ts';

const EVERY_MS = 20;

/** Lines as `level text {fields}`, and each as an event. */
function recorder() {
  const lines: string[] = [];
  const written = new EventEmitter();
  const write = (level: string) => (fields: object, text: string) => {
    lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
    written.emit('line');
  };
  const log: LineLog = { info: write('info'), warn: write('warn'), error: write('error') };
  return { log, lines, next: () => once(written, 'line') };
}

/** Rings after everything that was due earlier. */
const afterwards = () => new Promise((resolve) => setTimeout(resolve, 3 * EVERY_MS));

test('the first line at once, then one with the last of those that followed and how many they were', async () => {
  const { log, lines, next } = recorder();
  using sparing = new SparingLog(log, EVERY_MS);
  for (let request = 1; request <= 1_000; request++) sparing.warn({ request }, 'refused');
  assert.deepEqual(lines, ['warn refused {"request":1}']);
  await next();
  sparing.warn({ request: 1_001 }, 'refused');
  assert.deepEqual(lines.slice(1), ['warn refused {"request":1000,"times":999}']);
  await next();
  assert.deepEqual(lines.slice(2), ['warn refused {"request":1001,"times":1}']);
});

test('after a time without any the next is a first again, and a lone line is never said twice', async () => {
  const { log, lines } = recorder();
  using sparing = new SparingLog(log, EVERY_MS);
  sparing.warn({ outage: 1 }, 'refused');
  await afterwards();
  assert.equal(lines.length, 1);
  sparing.warn({ outage: 2 }, 'refused');
  assert.deepEqual(lines.slice(1), ['warn refused {"outage":2}']);
});

test('texts and levels are counted apart', () => {
  const { log, lines } = recorder();
  using sparing = new SparingLog(log, EVERY_MS);
  sparing.warn({}, 'one');
  sparing.warn({}, 'other');
  sparing.error({}, 'one');
  sparing.error({}, 'one');
  sparing.info({}, 'one');
  assert.deepEqual(lines, ['warn one {}', 'warn other {}', 'error one {}', 'info one {}']);
});

test('at the end what was counted is said', () => {
  const { log, lines } = recorder();
  {
    using sparing = new SparingLog(log);
    sparing.warn({ request: 1 }, 'refused');
    sparing.warn({ request: 2 }, 'refused');
    sparing.warn({ request: 3 }, 'refused');
  }
  assert.deepEqual(lines, ['warn refused {"request":1}', 'warn refused {"request":3,"times":2}']);
});

test('texts without end are not all remembered', () => {
  const { log, lines } = recorder();
  using sparing = new SparingLog(log);
  sparing.warn({}, 'first');
  sparing.warn({ late: true }, 'first');
  for (let text = 0; text < 100; text++) sparing.warn({}, `text ${text}`);
  assert.ok(lines.includes('warn first {"late":true,"times":1}'), 'summed up when it is forgotten');
  sparing.warn({}, 'first');
  assert.equal(lines.filter((line) => line === 'warn first {}').length, 2);
});
