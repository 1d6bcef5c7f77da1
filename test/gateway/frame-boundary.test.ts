import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { FrameBoundary } from '../../src/gateway/target/frame-boundary.ts';

function frame(size: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  const header =
    size < 126
      ? Buffer.from([0x82, mask | size])
      : size < 65_536
        ? Buffer.from([0x82, mask | 126, size >> 8, size & 0xff])
        : Buffer.from([0x82, mask | 127, 0, 0, 0, 0, 0, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff]);
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0, 1), Buffer.alloc(size, 0xff)]);
}

it('a frame of ours fits exactly between the frames of others, however the bytes are cut', () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sizes, fc.boolean(), fc.integer({ min: 1, max: 9000 }), (chosen, masked, step) => {
      const frames = chosen.map((size) => frame(size, masked));
      const all = Buffer.concat(frames);
      const ends = new Set<number>();
      let end = 0;
      for (const one of frames) ends.add((end += one.length));
      const boundary = new FrameBoundary();
      for (let at = 0; at < all.length; at += step) {
        const cut = Math.min(at + step, all.length);
        boundary.see(all.subarray(at, cut));
        assert.equal(boundary.isBetweenFrames, ends.has(cut));
      }
    }),
  );
});
