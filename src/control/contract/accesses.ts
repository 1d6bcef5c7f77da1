import { type Static, Type } from 'typebox';
import { closed, Id, Nullable, PersonName, Whole } from './parts.ts';

/** GET /api/v1/accesses. `before` is `next` of the page before. */
export const AccessQuery = Type.Object(
  {
    before: Type.Optional(Id),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  closed,
);
export type AccessQuery = Static<typeof AccessQuery>;

const LiveAccess = Type.Object({
  id: Type.String({ description: 'Of its intent in the audit log.' }),
  person: PersonName,
  session: Type.String(),
  resource: Type.String(),
  destination: Nullable(Type.String(), 'Address and port, of a connection through a network.'),
  agent: Type.String(),
  startedAt: Whole,
});

/** What is under way at this relay, newest first. */
export const AccessList = Type.Object({ accesses: Type.Array(LiveAccess), next: Nullable(Type.String()) });
export type AccessList = Static<typeof AccessList>;

/** POST /api/v1/accesses/:id/terminate. The reason is for the record; the person is not told it. */
export const TerminateBody = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }, closed);
export type TerminateBody = Static<typeof TerminateBody>;
export const TerminatedAccess = Type.Object({ terminated: Type.String() });
