import { type TSchema, Type } from 'typebox';
import { NAME_PATTERN } from '../domain/name.ts';

/** What the schemas of both files are made of. Descriptions complete "must be …" and serve editors. */

const NAME_DESCRIPTION = 'a name of lower-case letters, digits and "-", at most 63 characters';

export const NameSchema = Type.String({ pattern: NAME_PATTERN, description: NAME_DESCRIPTION });
/** A mapping from names to values of one schema. */
export const named = <T extends TSchema>(value: T) =>
  Type.Record(Type.String({ pattern: NAME_PATTERN }), value, { description: NAME_DESCRIPTION });
export const DurationSchema = Type.String({
  pattern: '^\\d{1,9}(ms|s|m|h|d)$',
  description: 'a duration such as 500ms, 15s, 10m or 8h',
});
export const FileSchema = Type.String({ minLength: 1, maxLength: 4096, description: 'a path, relative to this file' });
export const Text = Type.String({ minLength: 1, maxLength: 500 });
