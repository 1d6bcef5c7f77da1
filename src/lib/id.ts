import { randomFillSync } from 'node:crypto';

/** The id under construction, as text. A string made of one buffer is in one piece, and JSON.stringify three times as fast on it. */
const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1');
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

const pool = Buffer.allocUnsafe(8 * 512);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, a 12-bit counter that keeps ids of one process in order
 * within a millisecond, 62 random bits. Sorts as text by time.
 */
export function sortableId(nowMs = Date.now()): string {
  if (nowMs > lastMs) {
    writeTime(nowMs);
    sequence = 0;
  } else if (++sequence > 0xfff) {
    // The counter is full (or the clock went back): borrow from the next millisecond rather than break the order.
    writeTime(lastMs + 1);
    sequence = 0;
  }
  text[15] = DIGITS[sequence >>> 8] ?? 0;
  writeByte(16, sequence & 0xff);
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  writeByte(19, 0x80 | (randomByte() & 0x3f));
  writeByte(21, randomByte());
  for (let at = 24; at < 36; at += 2) writeByte(at, randomByte());
  return text.toString('latin1');
}

/** Any UUID as text, in lower case. */
export const UUID: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function writeTime(ms: number): void {
  lastMs = ms;
  const high = Math.floor(ms / 0x10000);
  const low = ms % 0x10000;
  for (let at = 0; at < 4; at += 1) writeByte(at * 2, (high >>> (24 - at * 8)) & 0xff);
  writeByte(9, low >>> 8);
  writeByte(11, low & 0xff);
}

function writeByte(at: number, byte: number): void {
  text[at] = DIGITS[byte >>> 4] ?? 0;
  text[at + 1] = DIGITS[byte & 0xf] ?? 0;
}

function randomByte(): number {
  used += 1;
  return pool[used - 1] ?? 0;
}
