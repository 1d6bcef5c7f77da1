/** RFC 6455 §5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const MAX_CONTROL_BYTES = 125;
export const MAX_HEADER_BYTES = 14;
const MASK_BYTES = 4;

export interface FrameHeader {
  readonly final: boolean;
  /** One of the three bits for extensions, of which there is none. */
  readonly reserved: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payloadBytes: number;
  /** Undefined also where it changes nothing. */
  readonly mask: Buffer | undefined;
}

/**
 * The header of a whole message in one frame. Diallers mask (§5.3), with zeros, which cost nothing to apply: masks protect
 * naive intermediaries on plain HTTP; TLS hides the bytes from them.
 */
export function encodeFrameHeader(opcode: number, payloadBytes: number, masked: boolean): Buffer {
  const lengthBytes = payloadBytes <= MAX_CONTROL_BYTES ? 0 : payloadBytes <= 0xffff ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes + (masked ? MASK_BYTES : 0));
  header[0] = 0x80 | opcode;
  header[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? payloadBytes : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(payloadBytes, 2);
  if (lengthBytes === 8) header.writeUIntBE(payloadBytes, 4, 6);
  return header;
}

/** Bytes of the header that begins so; 2 while those are not there yet. */
export function frameHeaderBytes(header: Buffer, known: number): number {
  if (known < 2) return 2;
  const second = header.readUInt8(1);
  return 2 + lengthBytesOf(second) + (second >= 0x80 ? MASK_BYTES : 0);
}

/** Of a whole header. */
export function decodeFrameHeader(header: Buffer): FrameHeader {
  const first = header.readUInt8(0);
  const second = header.readUInt8(1);
  const masked = second >= 0x80;
  const lengthBytes = lengthBytesOf(second);
  const maskAt = 2 + lengthBytes;
  return {
    final: first >= 0x80,
    reserved: (first & 0x70) !== 0,
    opcode: first & 0x0f,
    masked,
    payloadBytes: lengthBytes === 0 ? second & 0x7f : readLength(header, lengthBytes),
    mask:
      masked && header.readUInt32BE(maskAt) !== 0
        ? Buffer.from(header.subarray(maskAt, maskAt + MASK_BYTES))
        : undefined,
  };
}

/** Applies the mask in place; `offset` is that of the chunk in its frame. */
export function unmask(chunk: Buffer, mask: Buffer, offset: number): void {
  for (let at = 0; at < chunk.length; at += 1) chunk[at] = (chunk[at] ?? 0) ^ (mask[(offset + at) & 3] ?? 0);
}

function lengthBytesOf(second: number): 0 | 2 | 8 {
  const short = second & 0x7f;
  return short === 126 ? 2 : short === 127 ? 8 : 0;
}

/** Lengths that a number does not hold are beyond any limit. */
function readLength(header: Buffer, lengthBytes: 2 | 8): number {
  if (lengthBytes === 2) return header.readUInt16BE(2);
  return header.readUInt16BE(2) > 0 ? Number.POSITIVE_INFINITY : header.readUIntBE(4, 6);
}
