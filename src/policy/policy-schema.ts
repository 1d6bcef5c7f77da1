import { Type } from 'typebox';
import { NAME_PATTERN } from '../domain/name.ts';

/** The shape of policies/*.yaml and of policies/*.test.yaml. */

const closed = { additionalProperties: false } as const;

const Name = Type.String({ pattern: NAME_PATTERN, description: 'a name of lower-case letters, digits and "-"' });
const Effect = Type.Union([Type.Literal('allow'), Type.Literal('deny')]);
const Method = Type.String({
  pattern: '^[A-Z][A-Z-]{0,31}$',
  description: 'a method in upper case such as GET; methods are case-sensitive',
});

const MEMBER =
  'provider:[^\\p{Cc}]{1,200}|group:[a-z0-9-]{1,63}|person:[^\\s@]{1,64}@[^\\s@]{1,253}|service:[a-z0-9-]{1,63}';
const Member = Type.String({
  pattern: `^(${MEMBER})$`,
  description: 'provider:<group>, group:<local group>, person:<e-mail> or service:<name>',
});
const Who = Type.String({
  pattern: `^(${MEMBER}|anyone-signed-in|anyone)$`,
  description: 'provider:<group>, group:<local group>, person:<e-mail>, service:<name>, anyone-signed-in or anyone',
});
const Destination = Type.String({
  maxLength: 300,
  description: 'host:port such as db1.lan:5432, *.corp.internal:22, 10.0.0.0/8:5000-5999 or [fd00::/8]:*',
});
const What = Type.String({
  pattern: '^(resource:[a-z0-9-]{1,63}|tag:[a-z0-9-]{1,63}|any-resource)$',
  description: 'resource:<name>, tag:<tag> or any-resource',
});

export const PolicyFileSchema = Type.Object(
  {
    groups: Type.Optional(
      Type.Record(Type.String({ pattern: NAME_PATTERN }), Type.Array(Member, { maxItems: 10_000 }), {
        description: 'a name of lower-case letters, digits and "-"',
      }),
    ),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Name,
            effect: Effect,
            who: Type.Array(Who, { minItems: 1, maxItems: 1000 }),
            what: Type.Array(What, { minItems: 1, maxItems: 1000 }),
            methods: Type.Optional(Type.Array(Method, { minItems: 1, maxItems: 50 })),
            paths: Type.Optional(Type.Array(Type.String({ maxLength: 2000 }), { minItems: 1, maxItems: 100 })),
            destinations: Type.Optional(Type.Array(Destination, { minItems: 1, maxItems: 1000 })),
            message: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
);

export const PolicyTestFileSchema = Type.Object(
  {
    tests: Type.Array(
      Type.Object(
        {
          person: Type.Optional(Type.String({ description: 'an e-mail address' })),
          groups: Type.Optional(Type.Array(Type.String())),
          service: Type.Optional(Name),
          stranger: Type.Optional(Type.Boolean({ description: 'true for somebody who is not signed in' })),
          resource: Name,
          method: Type.Optional(Method),
          path: Type.Optional(Type.String()),
          destination: Type.Optional(Type.String({ description: 'host:port as a person asks for it' })),
          address: Type.Optional(
            Type.String({ description: 'the address that the name of the destination resolves to' }),
          ),
          expect: Effect,
          rule: Type.Optional(Name),
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);
