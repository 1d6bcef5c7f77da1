import { hash } from 'node:crypto';

/** Bytes of every hash in the tree. */
export const HASH_BYTES = 32;

/** Root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

/** RFC 6962 §2.1: SHA-256(0x00 ‖ leaf). Text counts as its UTF-8 bytes. */
export function leafHash(leaf: string | Uint8Array): Buffer {
  if (typeof leaf === 'string') return hash('sha256', `\0${leaf}`, 'buffer');
  const bytes = Buffer.allocUnsafe(1 + leaf.length);
  bytes[0] = 0;
  bytes.set(leaf, 1);
  return hash('sha256', bytes, 'buffer');
}

/** RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return hash('sha256', bytes, 'buffer');
}
