import Type, { type Static, type TNull, type TSchema, type TUnion } from 'typebox';
import { printable } from '../lib/printable.ts';
import { parser } from '../lib/schema.ts';

/** Relays write null where there is none. */
export function Nullable<T extends TSchema>(schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** Reads one of the relay's answers; `request_invalid` for what is none. */
export function answerParser<T extends TSchema>(schema: T): (answer: unknown) => Static<T> {
  return parser(schema, "The relay's answer", 'request_invalid');
}

/** undefined for what is not JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The sentence for people in an RFC 9457 problem, with its reference; undefined where there is none. */
export function problemText(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { detail, reference } = answer as { detail?: unknown; reference?: unknown };
  if (typeof detail !== 'string' || detail === '') return undefined;
  return printable(typeof reference === 'string' ? `${detail} (reference ${reference})` : detail);
}
