/** Array of `elements` in PostgreSQL's binary format (array_send): no quoting, no parsing. pg sends a Buffer as binary. */
export function encodeArray(type: ElementType, elements: readonly (Uint8Array | string | undefined)[]): Buffer {
  let bytes = HEADER_BYTES;
  for (const element of elements) bytes += 4 + lengthOf(element);
  const array = Buffer.allocUnsafe(bytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(1, 4);
  array.writeInt32BE(type, 8);
  array.writeInt32BE(elements.length, 12);
  array.writeInt32BE(1, 16);
  let at = HEADER_BYTES;
  for (const element of elements) {
    if (element === undefined) {
      array.writeInt32BE(-1, at);
      at += 4;
      continue;
    }
    const length = typeof element === 'string' ? array.write(element, at + 4) : element.length;
    if (typeof element !== 'string') array.set(element, at + 4);
    array.writeInt32BE(length, at);
    at += 4 + length;
  }
  return array;
}

/** Object ids of the element types, fixed in PostgreSQL's catalogue. */
export const ELEMENT = { bytea: 17, text: 25 } as const;
export type ElementType = (typeof ELEMENT)[keyof typeof ELEMENT];

/** Dimensions, has-nulls, element type, and of the one dimension its length and lower bound. */
const HEADER_BYTES = 20;

function lengthOf(element: Uint8Array | string | undefined): number {
  if (element === undefined) return 0;
  return typeof element === 'string' ? Buffer.byteLength(element) : element.length;
}
