import { EMPTY_ROOT, nodeHash } from './hash.ts';

/** Leaf hashes by index. */
export type LeafHashes = readonly Uint8Array[];

/** Merkle tree hash of the leaves in [from, to) (RFC 6962 §2.1). O(n). */
export function rootOf(leaves: LeafHashes, from = 0, to = leaves.length): Uint8Array {
  if (to === from) return EMPTY_ROOT;
  if (to - from === 1) return leafAt(leaves, from);
  const middle = from + splitOf(to - from);
  return nodeHash(rootOf(leaves, from, middle), rootOf(leaves, middle, to));
}

/** Hashes that lead from leaf `index` to the root of the first `size` leaves (RFC 6962 §2.1.1). */
export function proveInclusion(leaves: LeafHashes, index: number, size = leaves.length): Uint8Array[] {
  if (index < 0 || index >= size || size > leaves.length) throw new RangeError('No such leaf in that tree.');
  const path = (at: number, from: number, to: number): Uint8Array[] => {
    if (to - from === 1) return [];
    const middle = from + splitOf(to - from);
    return at < middle
      ? [...path(at, from, middle), rootOf(leaves, middle, to)]
      : [...path(at, middle, to), rootOf(leaves, from, middle)];
  };
  return path(index, 0, size);
}

/** Hashes that show the first `oldSize` leaves to be a prefix of the first `size` (RFC 6962 §2.1.2). */
export function proveConsistency(leaves: LeafHashes, oldSize: number, size = leaves.length): Uint8Array[] {
  if (oldSize < 0 || oldSize > size || size > leaves.length) throw new RangeError('Sizes out of order.');
  if (oldSize === 0 || oldSize === size) return [];
  const path = (old: number, from: number, to: number, complete: boolean): Uint8Array[] => {
    if (old === to) return complete ? [] : [rootOf(leaves, from, to)];
    const middle = from + splitOf(to - from);
    return old <= middle
      ? [...path(old, from, middle, complete), rootOf(leaves, middle, to)]
      : [...path(old, middle, to, false), rootOf(leaves, from, middle)];
  };
  return path(oldSize, 0, size, true);
}

/** Largest power of two below `count`. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function leafAt(leaves: LeafHashes, index: number): Uint8Array {
  const leaf = leaves[index];
  if (!leaf) throw new RangeError(`No leaf ${index}.`);
  return leaf;
}
