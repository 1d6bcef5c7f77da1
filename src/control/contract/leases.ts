import { type Static, Type } from 'typebox';
import { closed, PersonName, Whole } from './parts.ts';

/** POST /api/v1/leases */
export const NewLease = Type.Object(
  {
    resource: Type.String({ minLength: 1, maxLength: 63 }),
    connections: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'How many it takes; 1 if absent.' }),
    ),
  },
  closed,
);
export type NewLease = Static<typeof NewLease>;

export const Lease = Type.Object({
  id: Type.String({ description: 'Of its record in the audit log.' }),
  person: PersonName,
  session: Type.String(),
  resource: Type.String(),
  host: Type.String({ description: 'Where to connect to.' }),
  port: Whole,
  address: Type.String({ description: 'The only one that it is open from.' }),
  connections: Whole,
  begun: Type.Integer({ description: 'How many it has taken.' }),
  openedAt: Whole,
  expiresAt: Type.Integer({ description: 'Until then connections may begin.' }),
});
export type Lease = Static<typeof Lease>;

/** GET /api/v1/leases */
export const LeaseQuery = Type.Object(
  { of: Type.Optional(Type.Union([Type.Literal('me'), Type.Literal('everyone')])) },
  closed,
);
export type LeaseQuery = Static<typeof LeaseQuery>;

/** At this relay, newest first. As many as there are ports for leases, at most. */
export const LeaseList = Type.Object({ leases: Type.Array(Lease) });
export type LeaseList = Static<typeof LeaseList>;

/** DELETE /api/v1/leases/:id */
export const EndedLease = Type.Object({ ended: Type.String() });
