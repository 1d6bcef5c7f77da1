import { createHash } from 'node:crypto';

/** RFC 6962 §2.1 as it is written, on leaf hashes. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const sha256 = (...parts: Uint8Array[]): Uint8Array => createHash('sha256').update(Buffer.concat(parts)).digest();
  const [only] = leaves;
  if (!only) return sha256();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.from([1]), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}
