import { type Static, Type } from 'typebox';
import { closed, Id, Nullable, PersonName, Whole } from './parts.ts';

/** GET /api/v1/sessions. `before` is `next` of the page before. */
export const SessionQuery = Type.Object(
  {
    of: Type.Optional(Type.Union([Type.Literal('me'), Type.Literal('everyone')])),
    before: Type.Optional(Id),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  closed,
);
export type SessionQuery = Static<typeof SessionQuery>;

const SessionSummary = Type.Object({
  id: Type.String(),
  person: PersonName,
  signedInAt: Whole,
  lastSeenAt: Whole,
  expiresAt: Whole,
  current: Type.Boolean({ description: 'It is the one that asks.' }),
});

/** Newest first. */
export const SessionList = Type.Object({ sessions: Type.Array(SessionSummary), next: Nullable(Type.String()) });
export type SessionList = Static<typeof SessionList>;

/** DELETE /api/v1/sessions/:id */
export const EndedSession = Type.Object({ ended: Type.String() });

/** POST /api/v1/sign-out: where the browser goes next. */
export const SignedOut = Type.Object({ location: Type.String() });
