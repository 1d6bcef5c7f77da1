import { Type } from 'typebox';
import { ResourceSchema } from './resource-schema.ts';
import { DurationSchema, FileSchema, NameSchema, named, Text } from './schema-parts.ts';

/** The shape of postern.yaml. Descriptions complete "must be …" and serve editors. */

const closed = { additionalProperties: false } as const;

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
const Email = Type.String({
  pattern: '^[^\\s@]{1,64}@[^\\s@]{1,253}$',
  description: 'an e-mail address such as sam@example.com',
});
/** A handshake looks at each. */
const MAX_CERTIFICATES = 100;
const Names = Type.Array(Text, { maxItems: 1000 });

const RoleSchema = Type.Object(
  { groups: Type.Optional(Names), people: Type.Optional(Type.Array(Email, { maxItems: 1000 })) },
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
            {
              certificateFile: Type.Optional(SecretFileSchema),
              keyFile: Type.Optional(SecretFileSchema),
              certificates: Type.Optional(
                Type.Array(Type.Object({ certificateFile: SecretFileSchema, keyFile: SecretFileSchema }, closed), {
                  minItems: 1,
                  maxItems: MAX_CERTIFICATES,
                }),
              ),
              redirectFrom: Type.Optional(ListenSchema),
            },
            closed,
          ),
        ),
        trustedProxies: Type.Optional(Type.Array(NetworkSchema, { maxItems: 100 })),
        proxyProtocol: Type.Optional(Type.Boolean()),
        drain: Type.Optional(DurationSchema),
        credentialLife: Type.Optional(DurationSchema),
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
      Type.Object(
        {
          idle: Type.Optional(DurationSchema),
          absolute: Type.Optional(DurationSchema),
          requestsPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
        },
        closed,
      ),
    ),
    leases: Type.Optional(
      Type.Object(
        {
          ports: Type.String({
            pattern: '^[0-9]{1,5}-[0-9]{1,5}$',
            description: 'a first and a last port, such as 20000-20100',
          }),
          listen: Type.Optional(Type.String({ description: 'an address to listen on, such as 127.0.0.1' })),
          connections: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        },
        closed,
      ),
    ),
    policy: Type.Optional(Type.Object({ directory: FileSchema }, closed)),
    audit: Type.Optional(Type.Object({ commitTimeout: Type.Optional(DurationSchema) }, closed)),
    agents: Type.Optional(named(Type.Object({ enrollmentTokenFile: Type.Optional(FileSchema) }, closed))),
    resources: Type.Optional(named(ResourceSchema)),
  },
  closed,
);
