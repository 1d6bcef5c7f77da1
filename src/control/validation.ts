import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { PosternError } from '../lib/errors.ts';

/**
 * Checks requests against their TypeBox schemas. Query strings and path parameters are text, so there numbers are
 * converted first; bodies are taken as they are, and an absent one is empty. Responses are cut to their schema by Fastify's own serializer.
 */
export function useTypeBox(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const compiled = Compile(schema);
    return (input: unknown) => {
      const value = httpPart === 'body' ? (input ?? {}) : Value.Convert(schema, input);
      if (compiled.Check(value)) return { value };
      const first = compiled.Errors(value)[0];
      const place = `${httpPart ?? 'request'}${first?.instancePath ?? ''}`;
      return {
        error: new PosternError('request_invalid', `${place} ${first?.message ?? 'does not match its schema'}.`),
      };
    };
  });
}
