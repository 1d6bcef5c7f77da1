import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type ErrorCode, PosternError } from './errors.ts';

/**
 * Compiles a TypeBox schema into a parser for one boundary: unknown → typed, or a PosternError of `code`
 * that names the first offending place. Nothing is coerced, defaulted or dropped.
 */
export function parser<T extends TSchema>(schema: T, what: string, code: ErrorCode): (value: unknown) => Static<T> {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return value as Static<T>;
    const first = compiled.Errors(value)[0];
    throw new PosternError(
      code,
      `${what} is not valid: ${first?.instancePath || '/'} ${first?.message ?? 'does not match'}`,
    );
  };
}
