import { hash } from 'node:crypto';

/** Bytes of every hash in the tree. */
export const HASH_BYTES = 32;

/** Root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Buffer = digest('');

/** RFC 6962 §2.1: SHA-256(0x00 ‖ leaf). Text counts as its UTF-8 bytes. */
export function leafHash(leaf: string | Uint8Array): Buffer {
  if (typeof leaf === 'string') return digest(`\0${leaf}`);
  const bytes = Buffer.allocUnsafe(1 + leaf.length);
  bytes[0] = 0;
  bytes.set(leaf, 1);
  return digest(bytes);
}

/** 0x01 ‖ left ‖ right of the node that is being hashed, which takes one turn. */
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return digest(pair);
}

/** By way of a string: each buffer that `hash` gives costs an allocation outside the heap, twice the time of the hash. */
function digest(bytes: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'latin1'), 'latin1');
}
