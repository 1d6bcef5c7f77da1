import { type TSchema, Type } from 'typebox';

/** The shape of postern.yaml. Descriptions complete "must be …" and serve editors. */

const closed = { additionalProperties: false } as const;

const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
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
/** Files with secrets may also come from systemd: see file-reference.ts. */
const SecretFileSchema = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: 'a path, relative to this file, or credential:NAME for a systemd credential',
});
const ListenSchema = Type.String({ description: 'an address and port to listen on, such as 127.0.0.1:8080' });
const NetworkSchema = Type.String({
  minLength: 2,
  maxLength: 60,
  description: 'an address or network such as 10.0.0.0/8',
});
const Text = Type.String({ minLength: 1, maxLength: 500 });
const Email = Type.String({
  pattern: '^[^\\s@]{1,64}@[^\\s@]{1,253}$',
  description: 'an e-mail address such as sam@example.com',
});
const Names = Type.Array(Text, { maxItems: 1000 });

const RoleSchema = Type.Object(
  { groups: Type.Optional(Names), people: Type.Optional(Type.Array(Email, { maxItems: 1000 })) },
  closed,
);

const ResourceSchema = Type.Object(
  {
    host: Type.Optional(Text),
    agent: Type.Optional(NameSchema),
    agents: Type.Optional(Type.Array(NameSchema, { minItems: 1, maxItems: 100 })),
    title: Type.Optional(Text),
    description: Type.Optional(Text),
    tags: Type.Optional(Type.Array(NameSchema, { maxItems: 100 })),
    owner: Type.Optional(Text),
    paths: Type.Optional(Type.Union([Type.Literal('strict'), Type.Literal('lenient')])),
    websocket: Type.Optional(Type.Boolean()),
    cors: Type.Optional(Type.Object({ origins: Type.Array(Text, { maxItems: 100 }) }, closed)),
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

export const RelayFileSchema = Type.Object(
  {
    relay: Type.Object(
      {
        url: Type.String({ description: 'the origin that people use, such as https://access.example.com' }),
        listen: ListenSchema,
        id: Type.Optional(NameSchema),
        contact: Type.Optional(Text),
        tls: Type.Optional(
          Type.Object(
            { certificateFile: SecretFileSchema, keyFile: SecretFileSchema, redirectFrom: Type.Optional(ListenSchema) },
            closed,
          ),
        ),
        trustedProxies: Type.Optional(Type.Array(NetworkSchema, { maxItems: 100 })),
        proxyProtocol: Type.Optional(Type.Boolean()),
        drain: Type.Optional(DurationSchema),
        metrics: Type.Optional(ListenSchema),
      },
      closed,
    ),
    dataDir: Type.Optional(FileSchema),
    database: Type.Optional(
      Type.Object({ url: Type.Optional(Text), urlFile: Type.Optional(SecretFileSchema) }, closed),
    ),
    provider: Type.Object(
      {
        issuer: Type.String({ description: 'the issuer URL of the OIDC provider' }),
        clientId: Text,
        clientSecretFile: SecretFileSchema,
        scopes: Type.Optional(Type.Array(Text, { minItems: 1, maxItems: 50 })),
        groupsClaim: Type.Optional(Text),
      },
      closed,
    ),
    roles: Type.Object(
      { admin: RoleSchema, security: Type.Optional(RoleSchema), auditor: Type.Optional(RoleSchema) },
      closed,
    ),
    sessions: Type.Optional(
      Type.Object({ idle: Type.Optional(DurationSchema), absolute: Type.Optional(DurationSchema) }, closed),
    ),
    policy: Type.Optional(Type.Object({ directory: FileSchema }, closed)),
    audit: Type.Optional(Type.Object({ commitTimeout: Type.Optional(DurationSchema) }, closed)),
    agents: Type.Optional(named(Type.Object({ enrollmentTokenFile: Type.Optional(FileSchema) }, closed))),
    resources: Type.Optional(named(ResourceSchema)),
  },
  closed,
);
