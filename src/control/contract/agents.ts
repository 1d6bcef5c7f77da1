import { type Static, Type } from 'typebox';
import { NAME_PATTERN } from '../../domain/name.ts';
import { closed, Nullable, Whole } from './parts.ts';

const AgentName = Type.String({ pattern: NAME_PATTERN });
export const AgentParams = Type.Object({ name: AgentName });
export type AgentParams = Static<typeof AgentParams>;

/** GET /api/v1/agents. `after` is `next` of the page before. */
export const AgentQuery = Type.Object(
  {
    after: Type.Optional(AgentName),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  closed,
);
export type AgentQuery = Static<typeof AgentQuery>;

const Tunnel = Type.Object({
  id: Type.String(),
  connectedAt: Whole,
  expiresAt: Type.Integer({ description: 'It ends then unless its credential is renewed.' }),
  resources: Type.Array(Type.String(), { description: 'What the agent announced that it serves.' }),
  unreachable: Type.Array(Type.String(), {
    description: 'Those of them whose target it could not reach when it last tried.',
  }),
  streams: Whole,
  roundTripMs: Type.Number(),
});

const AgentSummary = Type.Object({
  name: Type.String(),
  configured: Type.Boolean({ description: 'In the configuration in force; one that is not cannot connect.' }),
  enrolledAt: Nullable(Whole),
  revokedAt: Nullable(Whole),
  keyThumbprint: Nullable(Type.String()),
  /** What it may announce beyond the relay's file: names, `*` for any characters. */
  scope: Type.Array(Type.String()),
  /** Since when it gets no new streams. */
  drainedAt: Nullable(Whole),
  tunnels: Type.Array(Tunnel, { description: 'Live ones at this relay, newest first.' }),
});

/** By name. */
export const AgentList = Type.Object({ agents: Type.Array(AgentSummary), next: Nullable(Type.String()) });
export type AgentList = Static<typeof AgentList>;

/** POST /api/v1/agents/enroll */
export const EnrollBody = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 200 }),
    name: Type.String({ minLength: 1, maxLength: 63 }),
    publicKey: Type.Object(
      {
        kty: Type.Literal('OKP'),
        crv: Type.Literal('Ed25519'),
        x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
        kid: Type.Optional(Type.String({ maxLength: 100 })),
      },
      closed,
    ),
  },
  closed,
);

export const Enrolled = Type.Object({
  agent: Type.String(),
  /** To pin: receipts are signed with one of them. */
  relayKeys: Type.Object({
    keys: Type.Array(Type.Object({ kty: Type.String(), crv: Type.String(), x: Type.String(), kid: Type.String() })),
  }),
});

/** POST /api/v1/agents/credential */
export const CredentialBody = Type.Object({ assertion: Type.String({ minLength: 1, maxLength: 4096 }) }, closed);
export type CredentialBody = Static<typeof CredentialBody>;
export const IssuedCredential = Type.Object({ credential: Type.String(), expiresAt: Whole });

/** POST /api/v1/agents/:name/tokens */
export const NewToken = Type.Object(
  {
    /** What the agent may announce beyond the relay's file: names, `*` for any characters, and behind `:` the ports that connections under them may have. */
    scope: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9*-]{1,63}(:[0-9]{1,5}(-[0-9]{1,5})?)?$' }), { maxItems: 100 }),
    ),
  },
  closed,
);
export type NewToken = Static<typeof NewToken>;

/** GET /api/v1/agents/tokens: those that can still be redeemed. */
export const EnrollmentTokenList = Type.Object({
  tokens: Type.Array(
    Type.Object({
      id: Type.String(),
      agent: Type.String(),
      createdAt: Whole,
      expiresAt: Whole,
      scope: Type.Array(Type.String()),
    }),
  ),
});
export type EnrollmentTokenList = Static<typeof EnrollmentTokenList>;
export const TokenParams = Type.Object({ id: Type.String({ pattern: '^[0-9a-f-]{1,36}$' }) });
export type TokenParams = Static<typeof TokenParams>;

/** POST /api/v1/agents/:name/drain */
export const DrainBody = Type.Object({ drained: Type.Boolean() }, closed);
export type DrainBody = Static<typeof DrainBody>;
export const DrainedAgent = Type.Object({ agent: Type.String(), drained: Type.Boolean() });

export const EnrollmentToken = Type.Object({ token: Type.String(), expiresAt: Whole });
export const RevokedAgent = Type.Object({ revoked: Type.String() });
