import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { hasCode } from '../../src/lib/errors.ts';
import type { TunnelStream } from '../../src/tunnel/stream.ts';
import {
  INITIAL_WINDOW_BYTES,
  PROCESS_BUDGET_BYTES,
  processBudget,
  TUNNEL_SHARE_BYTES,
} from '../../src/tunnel/window.ts';
import { tunnelPair } from '../tunnel/pair.ts';

/** Fills the window of each stream that the relay opens. */
const flood = (stream: TunnelStream) => {
  stream.write(Buffer.alloc(INITIAL_WINDOW_BYTES));
  return true;
};

test('what waits in some tunnels stops no stream of another; each has a share of its own', async () => {
  const greedy = tunnelPair(flood);
  const honest = tunnelPair(() => true);
  processBudget.wait(PROCESS_BUDGET_BYTES);
  try {
    const held: TunnelStream[] = [];
    while (!greedy.relay.full) {
      assert.ok(held.length * INITIAL_WINDOW_BYTES < 4 * TUNNEL_SHARE_BYTES, 'it takes more than its share');
      const stream = greedy.relay.open();
      held.push(stream);
      stream.write('go');
      await once(stream, 'readable');
    }
    assert.throws(
      () => greedy.relay.open(),
      (error) => hasCode(error, 'limit_reached'),
    );
    honest.relay.open().destroy();
    for (const stream of held) stream.destroy();
    greedy.relay.open().destroy();
  } finally {
    processBudget.wait(-PROCESS_BUDGET_BYTES);
    greedy.relay.close('normal', 'done');
    honest.relay.close('normal', 'done');
  }
});
