import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkQueue } from '../../src/tunnel/chunk-queue.ts';
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES, ReceiveWindow, WindowBudget } from '../../src/tunnel/window.ts';

/** Sends and reads `bytes` at once, in pieces; returns the credit given. */
function pump(window: ReceiveWindow, bytes: number): number {
  let credit = 0;
  for (let left = bytes; left > 0; left -= 16_384) {
    assert.ok(window.receive(16_384));
    // A round trip of a minute: every turn counts as fast.
    credit += window.consume(16_384, 60_000);
  }
  return credit;
}

test('a fast stream gets more credit than it used, up to the largest window', () => {
  const budget = new WindowBudget(64 * 1024 * 1024);
  const window = new ReceiveWindow(budget);
  pump(window, 256 * 1024 * 1024);
  assert.equal(window.sizeBytes, MAX_WINDOW_BYTES);
});

test('out of budget it stays as it is; what one stream gives back another may take', () => {
  const process = new WindowBudget(INITIAL_WINDOW_BYTES);
  const one = new ReceiveWindow(new WindowBudget(MAX_WINDOW_BYTES, process));
  const other = new ReceiveWindow(new WindowBudget(MAX_WINDOW_BYTES, process));
  pump(one, 16 * 1024 * 1024);
  pump(other, 16 * 1024 * 1024);
  assert.equal(one.sizeBytes, 2 * INITIAL_WINDOW_BYTES);
  assert.equal(other.sizeBytes, INITIAL_WINDOW_BYTES);
  one.release();
  pump(other, 16 * 1024 * 1024);
  assert.equal(other.sizeBytes, 2 * INITIAL_WINDOW_BYTES);
});

test('a budget full of unread bytes admits no new stream until they are read', () => {
  const process = new WindowBudget(2000);
  const tunnel = new WindowBudget(1000, process);
  const other = new WindowBudget(5000, process);
  tunnel.wait(1000);
  assert.deepEqual([tunnel.admits, other.admits], [false, true]);
  other.wait(1000);
  assert.equal(other.admits, false);
  tunnel.wait(-1000);
  assert.deepEqual([tunnel.admits, other.admits], [true, true]);
});

test('property: the queue gives back what it got, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.uint8Array({ minLength: 1, maxLength: 5000 }), { nil: 'shift' })), (steps) => {
      const queue = new ChunkQueue();
      const into: Buffer[] = [];
      const out: Buffer[] = [];
      for (const step of steps) {
        if (step === 'shift') {
          const chunk = queue.shift();
          if (chunk) out.push(Buffer.from(chunk));
        } else {
          into.push(Buffer.from(step as Uint8Array));
          queue.push(Buffer.from(step as Uint8Array));
        }
      }
      for (let chunk = queue.shift(); chunk; chunk = queue.shift()) out.push(Buffer.from(chunk));
      assert.equal(queue.bytes, 0);
      assert.ok(Buffer.concat(into).equals(Buffer.concat(out)));
    }),
  );
});
