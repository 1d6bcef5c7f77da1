import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';

/**
 * The right edge of a growing RFC 6962 tree: the roots of the perfect subtrees that its leaves fill, largest first, one
 * for each bit set in `size`. Enough to append and to know the root; 53 hashes at most.
 */
export class Frontier {
  #size: number;
  readonly #roots: Buffer[];

  /** Resumes at `size` from what `encode` gave. Throws RangeError when they do not belong together. */
  constructor(size = 0, encoded: Uint8Array = Buffer.alloc(0)) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} is not a tree size.`);
    if (encoded.length !== HASH_BYTES * countBits(size)) {
      throw new RangeError(`A tree of ${size} leaves has ${countBits(size)} perfect subtrees.`);
    }
    this.#size = size;
    this.#roots = Array.from({ length: encoded.length / HASH_BYTES }, (_, at) =>
      Buffer.from(encoded.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
    );
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    let root: Buffer = Buffer.from(leaf);
    // Each trailing one bit of the size is a perfect subtree as large as the one being formed. Division, because
    // sizes pass 2^32.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (!left) throw new RangeError('The frontier is shorter than its size.');
      root = nodeHash(left, root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  root(): Buffer {
    return this.#roots.length === 0 ? EMPTY_ROOT : this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }

  /** The roots one after the other; `new Frontier(size, encoded)` resumes there. */
  encode(): Buffer {
    return Buffer.concat(this.#roots);
  }

  copy(): Frontier {
    const copy = new Frontier();
    copy.#size = this.#size;
    // The hashes themselves never change.
    copy.#roots.push(...this.#roots);
    return copy;
  }
}

function countBits(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
