import { type Static, Type } from 'typebox';
import { type ErrorCode, messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { encodeJson, JsonDecoder } from './length-prefixed-json.ts';
import type { TunnelStream } from './stream.ts';

/** Longest header; on a longer one the stream is reset. A receipt takes about 900 bytes. */
export const MAX_HEADER_BYTES = 8192;

const Header = Type.Union([
  Type.Object({ version: Type.Literal(1), kind: Type.Literal('control') }, { additionalProperties: false }),
  Type.Object(
    {
      version: Type.Literal(1),
      kind: Type.Literal('resource'),
      resource: Type.String({ minLength: 1, maxLength: 128 }),
      destination: Type.Optional(Type.String({ maxLength: 300 })),
      receipt: Type.Optional(Type.String({ maxLength: MAX_HEADER_BYTES })),
    },
    { additionalProperties: false },
  ),
  /** From the relay, to clients. */
  Type.Object({ version: Type.Literal(1), kind: Type.Literal('notice') }, { additionalProperties: false }),
  /** From clients: the relay finds the resource. */
  Type.Object(
    { version: Type.Literal(1), kind: Type.Literal('destination'), destination: Type.String({ maxLength: 300 }) },
    { additionalProperties: false },
  ),
]);

/** The first bytes of each stream, from whoever opened it. */
export type StreamHeader = Static<typeof Header>;

const Refusal = Type.Union([
  Type.Literal('not_allowed'),
  Type.Literal('bad_receipt'),
  Type.Literal('unknown_resource'),
  Type.Literal('dial_refused'),
  Type.Literal('dial_timeout'),
  // What a relay says to clients besides.
  Type.Literal('denied'),
  Type.Literal('unauthenticated'),
  Type.Literal('no_agent'),
  Type.Literal('unavailable'),
  Type.Literal('too_many'),
]);

export type StreamRefusal = Static<typeof Refusal>;

const Answer = Type.Union([
  Type.Object({ ok: Type.Literal(true) }),
  Type.Object({
    ok: Type.Literal(false),
    code: Refusal,
    message: Type.Optional(Type.String({ maxLength: 1000 })),
    /** Id of the record, for whoever asks why. */
    reference: Type.Optional(Type.String({ maxLength: 64 })),
  }),
]);

export type StreamAnswer = Static<typeof Answer>;

const parseHeader = parser(Header, 'The stream header', 'protocol_violation');
const parseAnswer = parser(Answer, 'The answer to the stream header', 'protocol_violation');

export function encodeHeader(header: StreamHeader): Buffer {
  return encodeJson(header);
}

export function encodeAnswer(answer: StreamAnswer): Buffer {
  return encodeJson(answer);
}

/** Takes the header off the stream; what follows it stays for the reader. Rejects after `timeoutMs` or when it is not one. */
export function receiveHeader(stream: TunnelStream, timeoutMs: number): Promise<StreamHeader> {
  return receiveFirst(stream, timeoutMs, parseHeader);
}

/**
 * As `receiveHeader`, for the other direction. `look` is called with the answer before anything that came with it goes on
 * to the reader: what it destroys the stream with cannot be overtaken by the end of the stream.
 */
export function receiveAnswer(
  stream: TunnelStream,
  timeoutMs: number,
  look?: (answer: StreamAnswer) => void,
): Promise<StreamAnswer> {
  return receiveFirst(stream, timeoutMs, parseAnswer, look);
}

/** How a refusal of the agent reads at the relay. */
export function refusalError(refusal: StreamAnswer & { ok: false }, resource: string): PosternError {
  const code: ErrorCode = refusal.code === 'dial_timeout' ? 'timeout' : 'target_unreachable';
  return new PosternError(
    code,
    `The agent did not open ${resource} (${refusal.code}).${refusal.message ? ` ${refusal.message}` : ''}`,
  );
}

function receiveFirst<T>(
  stream: TunnelStream,
  timeoutMs: number,
  parse: (value: unknown) => T,
  look?: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const decoder = new JsonDecoder(MAX_HEADER_BYTES);
    const closed = () => fail(stream.errored ?? new PosternError('tunnel_closed', 'The stream closed at its start.'));
    const timer = setTimeout(
      () => fail(new PosternError('timeout', `The other end did not speak for ${timeoutMs} ms.`)),
      timeoutMs,
    );
    const settle = () => {
      clearTimeout(timer);
      stream.off('close', closed);
    };
    const fail = (error: Error) => {
      settle();
      reject(error);
    };
    stream.on('close', closed);
    stream.intercept((chunk) => {
      decoder.add(chunk);
      try {
        const found = decoder.next();
        if (!found) return undefined;
        const value = parse(found.value);
        settle();
        look?.(value);
        resolve(value);
        return decoder.rest();
      } catch (error) {
        fail(error instanceof PosternError ? error : new PosternError('protocol_violation', messageOf(error)));
        return undefined;
      }
    });
  });
}
