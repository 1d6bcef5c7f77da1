import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Frontier } from '../../src/proof/frontier.ts';
import { EMPTY_ROOT, leafHash } from '../../src/proof/hash.ts';
import { proveConsistency, proveInclusion, rootOf } from '../../src/proof/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../src/proof/verify.ts';
import { naiveRoot } from './naive-tree.ts';

/** The inputs and roots that Certificate Transparency implementations share (certificate-transparency-go, testdata). */
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leavesOf = (texts: readonly string[]): Buffer[] => texts.map((text) => leafHash(text));
const someLeaves = fc.array(fc.string(), { minLength: 1, maxLength: 70 }).map(leavesOf);

describe('Merkle tree', () => {
  test('gives the roots that Certificate Transparency gives', () => {
    assert.equal(EMPTY_ROOT.toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const frontier = new Frontier();
    INPUTS.forEach((input, at) => {
      frontier.append(leafHash(Buffer.from(input, 'hex')));
      assert.equal(frontier.root().toString('hex'), ROOTS[at]);
    });
  });

  test('text and its UTF-8 bytes have one leaf hash', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => leafHash(text).equals(leafHash(Buffer.from(text)))));
  });

  test('the frontier has the root of the naive tree, and resumes anywhere', () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), (leaves, cut) => {
        let frontier = new Frontier();
        leaves.forEach((leaf, at) => {
          if (at === cut % leaves.length) frontier = new Frontier(frontier.size, frontier.encode());
          frontier.append(leaf);
          assert.deepEqual(frontier.root(), Buffer.from(naiveRoot(leaves.slice(0, at + 1))));
        });
        assert.deepEqual(Buffer.from(rootOf(leaves)), frontier.root());
        assert.throws(() => new Frontier(leaves.length, frontier.encode().subarray(1)), RangeError);
      }),
    );
  });

  test('every leaf is proven to be included, and nothing else is', () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), fc.nat(), fc.nat(), (leaves, a, b, bit) => {
        const size = 1 + (a % leaves.length);
        const index = b % size;
        const leaf = leaves[index] ?? EMPTY_ROOT;
        const root = rootOf(leaves, 0, size);
        const proof = proveInclusion(leaves, index, size);
        assert.ok(verifyInclusion(leaf, index, size, proof, root));
        assert.ok(!verifyInclusion(flip(leaf, bit), index, size, proof, root));
        assert.ok(!verifyInclusion(leaf, index, size, proof, flip(root, bit)));
        assert.ok(!verifyInclusion(leaf, index, size, [...proof, leaf], root));
        assert.ok(!verifyInclusion(leaf, size, size, proof, root));
        if (proof.length > 0) assert.ok(!verifyInclusion(leaf, index, size, proof.slice(1), root));
        const changed = proof.map((hash, at) => (at === bit % proof.length ? flip(hash, bit) : hash));
        if (proof.length > 0) assert.ok(!verifyInclusion(leaf, index, size, changed, root));
      }),
    );
  });

  test('every prefix is proven to be one, and a changed past is not', () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), fc.nat(), fc.nat(), (leaves, a, b, bit) => {
        const size = 1 + (a % leaves.length);
        const oldSize = b % (size + 1);
        const root = rootOf(leaves, 0, size);
        const oldRoot = rootOf(leaves, 0, oldSize);
        const proof = proveConsistency(leaves, oldSize, size);
        assert.ok(verifyConsistency(oldSize, oldRoot, size, root, proof));
        assert.ok(!verifyConsistency(oldSize, flip(oldRoot, bit), size, root, proof));
        if (oldSize > 0) assert.ok(!verifyConsistency(oldSize, oldRoot, size, flip(root, bit), proof));
        assert.ok(!verifyConsistency(oldSize, oldRoot, size, root, [...proof, root]));
        if (proof.length > 0) assert.ok(!verifyConsistency(oldSize, oldRoot, size, root, proof.slice(1)));
      }),
    );
  });
});

function flip(hash: Uint8Array, bit: number): Buffer {
  const bytes = Buffer.from(hash);
  const at = (bit >> 3) % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return bytes;
}
