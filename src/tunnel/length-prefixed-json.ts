import { PosternError } from '../lib/errors.ts';

/** A message is its length in 2 bytes, big-endian, then that much UTF-8 JSON. */
const PREFIX_BYTES = 2;
/** Longest JSON text. A longer one is refused: the stream is reset. */
const MAX_JSON_BYTES = 0xffff;

export function encodeJson(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES) throw new PosternError('limit_reached', `A message of ${bytes} bytes is too long.`);
  const message = Buffer.allocUnsafe(PREFIX_BYTES + bytes);
  message.writeUInt16BE(bytes, 0);
  message.write(text, PREFIX_BYTES, 'utf8');
  return message;
}

/** Collects messages from a byte stream in any cut. */
export class JsonDecoder {
  readonly #limitBytes: number;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(limitBytes = MAX_JSON_BYTES) {
    this.#limitBytes = limitBytes;
  }

  add(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
  }

  /** The next whole message, parsed, or undefined. Throws `protocol_violation` when it is too long or not JSON. */
  next(): { value: unknown } | undefined {
    if (this.#waiting.length < PREFIX_BYTES) return undefined;
    const bytes = this.#waiting.readUInt16BE(0);
    if (bytes > this.#limitBytes)
      throw new PosternError('protocol_violation', `A message of ${bytes} bytes is too long.`);
    if (this.#waiting.length < PREFIX_BYTES + bytes) return undefined;
    const text = this.#waiting.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + bytes);
    this.#waiting = this.#waiting.subarray(PREFIX_BYTES + bytes);
    try {
      return { value: JSON.parse(text) as unknown };
    } catch (cause) {
      throw new PosternError('protocol_violation', 'A message is not JSON.', { cause });
    }
  }

  /** Bytes after the last message taken. */
  rest(): Buffer {
    const rest = this.#waiting;
    this.#waiting = Buffer.alloc(0);
    return rest;
  }
}
