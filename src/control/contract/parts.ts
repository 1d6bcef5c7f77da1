import { type TSchema, Type } from 'typebox';

/** Pieces of the contract of `/api/v1`. Times are epoch milliseconds, ids UUIDs. */

export const Nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

/** A count, a size, or a time. */
export const Whole = Type.Integer();

/** What takes no keys that it does not know. */
export const closed = { additionalProperties: false } as const;

/** The body of a request that has nothing to say: absent, or `{}`. */
export const Nothing = Type.Object({}, closed);

export const Id = Type.String({ minLength: 36, maxLength: 36, pattern: '^[0-9a-f-]+$' });
export const IdParams = Type.Object({ id: Id });

export const PersonName = Type.Object({
  id: Type.String({ description: 'Principal id.' }),
  name: Nullable(Type.String()),
  email: Nullable(Type.String()),
});
