import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Flag, FrameDecoder, FrameType, HEADER_BYTES, writeHeader } from '../../src/tunnel/frame.ts';

interface Frame {
  readonly version: number;
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly length: number;
  payload: string;
}

function decodeAll(pieces: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder({
    frame: (version, type, flags, id, length) => {
      frames.push({ version, type, flags, id, length, payload: '' });
      return true;
    },
    payload: (chunk) => {
      const last = frames.at(-1);
      if (last) last.payload += chunk.toString('hex');
      return true;
    },
  });
  for (const piece of pieces) decoder.decode(piece);
  return frames;
}

test('headers have the bytes of the specification', () => {
  const header = Buffer.alloc(HEADER_BYTES);
  writeHeader(header, 0, FrameType.data, Flag.syn | Flag.fin, 0x01020304, 5);
  assert.equal(header.toString('hex'), '000000050102030400000005');
  writeHeader(header, 0, FrameType.windowUpdate, Flag.ack, 2, 0x40000);
  assert.equal(header.toString('hex'), '000100020000000200040000');
  writeHeader(header, 0, FrameType.ping, Flag.syn, 0, 0xffffffff);
  assert.equal(header.toString('hex'), '0002000100000000ffffffff');
  writeHeader(header, 0, FrameType.goAway, 0, 0, 1);
  assert.equal(header.toString('hex'), '000300000000000000000001');
});

test('property: any cut of the byte stream gives the same frames', () => {
  const frame = fc.oneof(
    fc.record({ flags: fc.nat(15), id: fc.nat(1000), payload: fc.uint8Array({ maxLength: 60 }) }).map((f) => {
      const bytes = Buffer.alloc(HEADER_BYTES + f.payload.length);
      writeHeader(bytes, 0, FrameType.data, f.flags, f.id, f.payload.length);
      bytes.set(f.payload, HEADER_BYTES);
      return bytes;
    }),
    fc.record({ type: fc.integer({ min: 1, max: 3 }), id: fc.nat(1000), length: fc.nat(0xffffffff) }).map((f) => {
      const bytes = Buffer.alloc(HEADER_BYTES);
      writeHeader(bytes, 0, f.type, 0, f.id, f.length);
      return bytes;
    }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      const bytes = Buffer.concat(frames);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        pieces.push(bytes.subarray(at, at + cut));
        at += cut;
      }
      pieces.push(bytes.subarray(at));
      assert.deepEqual(decodeAll(pieces), decodeAll([bytes]));
      assert.equal(decodeAll([bytes]).length, frames.length);
    }),
  );
});
