import { Type } from 'typebox';
import { DurationSchema, NameSchema, Text } from './schema-parts.ts';

const closed = { additionalProperties: false } as const;

const Origins = Type.Array(Text, { maxItems: 100 });

/** The shape of one entry under `resources` in postern.yaml. */
export const ResourceSchema = Type.Object(
  {
    protocol: Type.Optional(
      Type.Union([Type.Literal('http'), Type.Literal('tcp'), Type.Literal('ssh'), Type.Literal('network')]),
    ),
    host: Type.Optional(Text),
    hosts: Type.Optional(Type.Array(Text, { minItems: 1, maxItems: 100 })),
    agent: Type.Optional(NameSchema),
    agents: Type.Optional(Type.Array(NameSchema, { minItems: 1, maxItems: 100 })),
    title: Type.Optional(Text),
    description: Type.Optional(Text),
    tags: Type.Optional(Type.Array(NameSchema, { maxItems: 100 })),
    owner: Type.Optional(Text),
    paths: Type.Optional(Type.Union([Type.Literal('strict'), Type.Literal('lenient')])),
    websocket: Type.Optional(Type.Boolean()),
    targetHost: Type.Optional(Text),
    timeouts: Type.Optional(
      Type.Object({ headers: Type.Optional(DurationSchema), idle: Type.Optional(DurationSchema) }, closed),
    ),
    bodyLimit: Type.Optional(
      Type.String({ pattern: '^\\d{1,9}(B|KB|MB|GB)$', description: 'a size such as 512KB, 100MB or 2GB' }),
    ),
    cors: Type.Optional(Type.Object({ origins: Origins }, closed)),
    unsafeFrom: Type.Optional(
      Type.Object(
        {
          paths: Type.Array(
            Type.String({ pattern: '^/[\\x21-\\x7e]*$', description: 'an exact path such as /saml/acs' }),
            { minItems: 1, maxItems: 100 },
          ),
          origins: Type.Array(Text, { minItems: 1, maxItems: 100 }),
        },
        closed,
      ),
    ),
    headers: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z][A-Za-z0-9-]{0,63}$' }),
        Type.Union([
          Type.Literal('email'),
          Type.Literal('name'),
          Type.Literal('groups'),
          Type.Literal('subject'),
          Type.Literal('id'),
        ]),
        { description: 'a header name of letters, digits and "-"' },
      ),
    ),
    audit: Type.Optional(Type.Object({ query: Type.Array(Text, { maxItems: 100 }) }, closed)),
  },
  closed,
);
