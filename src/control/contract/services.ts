import { type Static, Type } from 'typebox';
import { NAME_PATTERN } from '../../domain/name.ts';
import { closed, Id, Nullable, Whole } from './parts.ts';

const Name = Type.String({
  pattern: NAME_PATTERN,
  description: 'Lower-case letters, digits and "-"; rules say service:<name>.',
});
/** Words for people. */
const Words = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}]+$' });

export const ServiceParams = Type.Object({ name: Name });
export type ServiceParams = Static<typeof ServiceParams>;
export const ServiceTokenParams = Type.Object({ name: Name, id: Id });
export type ServiceTokenParams = Static<typeof ServiceTokenParams>;

/** GET /api/v1/services. `after` is `next` of the page before. */
export const ServiceQuery = Type.Object(
  { after: Type.Optional(Name), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) },
  closed,
);
export type ServiceQuery = Static<typeof ServiceQuery>;

const ServiceToken = Type.Object({
  id: Type.String({ description: 'Not secret. Records of its requests have it as their session.' }),
  label: Nullable(Type.String()),
  scope: Type.Array(Type.String(), {
    description: 'Names of the resources that it reaches, if rules let the service.',
  }),
  createdAt: Whole,
  expiresAt: Whole,
  lastUsedAt: Nullable(Whole, 'To the minute; null: never.'),
  unused: Type.Boolean({ description: 'For 30 days, or never used.' }),
});

/** By name, with their live tokens, newest first. */
export const ServiceList = Type.Object({
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      description: Nullable(Type.String()),
      owner: Type.String({ description: 'Who answers for it.' }),
      createdAt: Whole,
      disabledAt: Nullable(Whole),
      tokens: Type.Array(ServiceToken),
    }),
  ),
  next: Nullable(Type.String()),
});
export type ServiceList = Static<typeof ServiceList>;

/** POST /api/v1/services */
export const NewService = Type.Object({ name: Name, owner: Words, description: Type.Optional(Words) }, closed);
export type NewService = Static<typeof NewService>;
export const CreatedService = Type.Object({ service: Type.String() });

/** POST /api/v1/services/:name/disable */
export const DisableBody = Type.Object({ disabled: Type.Boolean() }, closed);
export type DisableBody = Static<typeof DisableBody>;
export const DisabledService = Type.Object({ service: Type.String(), disabled: Type.Boolean() });

/** POST /api/v1/services/:name/tokens */
export const NewServiceToken = Type.Object(
  {
    scope: Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,63}$' }), {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'Names of resources.',
    }),
    expiresAt: Type.Integer({ minimum: 0, description: 'Within a year.' }),
    label: Type.Optional(Words),
  },
  closed,
);
export type NewServiceToken = Static<typeof NewServiceToken>;
export const IssuedServiceToken = Type.Object({
  id: Type.String(),
  token: Type.String({ description: 'Shown once, and kept nowhere.' }),
  expiresAt: Whole,
});

/** POST /api/v1/services/:name/tokens/:id/rotate */
export const RotateBody = Type.Object(
  {
    graceMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 30 * 24 * 3_600_000, description: 'How long the old one goes on; a day.' }),
    ),
    expiresAt: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Of the new one, within a year; default: as long a life as the old one.',
      }),
    ),
  },
  closed,
);
export type RotateBody = Static<typeof RotateBody>;
export const RotatedServiceToken = Type.Object({
  ...IssuedServiceToken.properties,
  oldEndsAt: Type.Integer({ description: 'When the token in whose place it comes ends.' }),
});

/** POST /api/v1/services/:name/tokens/:id/revoke */
export const RevokedServiceToken = Type.Object({ revoked: Type.String() });
