import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';

/** Is `leaf` the leaf hash at `index` of the tree of `size` leaves with this root? (RFC 9162 §2.1.3.2) */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (!areHashes([leaf, root, ...proof])) return false;
  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const other of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(other, hash);
      if (at % 2 === 0) [at, last] = skipEven(at, last);
    } else {
      hash = nodeHash(hash, other);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(hash, root);
}

/** Is the tree (size, root) the tree (oldSize, oldRoot) with leaves appended? (RFC 9162 §2.1.4.2) */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(size) || oldSize < 0 || oldSize > size) return false;
  if (!areHashes([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && equal(oldRoot, root);
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, EMPTY_ROOT);

  // A power of two is a subtree of the new tree itself: the proof leaves it out.
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof];
  const first = path.shift();
  if (!first) return false;
  let at = oldSize - 1;
  let last = size - 1;
  while (at % 2 === 1) {
    at = (at - 1) / 2;
    last = Math.floor(last / 2);
  }
  let oldHash = first;
  let hash = first;
  for (const other of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldHash = nodeHash(other, oldHash);
      hash = nodeHash(other, hash);
      if (at % 2 === 0) [at, last] = skipEven(at, last);
    } else {
      hash = nodeHash(hash, other);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(hash, root);
}

/** Up through the levels at which the right edge has no sibling. */
function skipEven(at: number, last: number): [number, number] {
  let [left, right] = [at, last];
  while (left % 2 === 0 && left !== 0) {
    left /= 2;
    right = Math.floor(right / 2);
  }
  return [left, right];
}

function isPowerOfTwo(size: number): boolean {
  let rest = size;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
