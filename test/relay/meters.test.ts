import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessOutcome } from '../../src/domain/audit-event.ts';
import { Meters } from '../../src/relay/metrics/meters.ts';

test('the time of a WebSocket is no duration of an answer, whatever was recorded of it before', async () => {
  const meters = new Meters();
  const audit = meters.countAccesses({ append: ({ id }) => Promise.resolve({ id, log: '', index: 0, leafHash: '' }) });
  for (const status of [101, 101, 200])
    await audit.append({
      kind: 'access.outcome',
      resource: 'wiki',
      intent: 'unknown',
      end: 'completed',
      status,
      durationMs: 1,
    } as unknown as AccessOutcome);
  const text = await meters.registry.metrics();
  assert.match(text, /^postern_access_duration_seconds_count\{resource="wiki"\} 1$/m);
  assert.match(text, /^postern_accesses_total\{.*status="1xx"\} 2$/m);
});
