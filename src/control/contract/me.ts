import { type Static, Type } from 'typebox';
import { Nullable, Whole } from './parts.ts';

const RoleName = Type.Union([Type.Literal('admin'), Type.Literal('security'), Type.Literal('auditor')]);

/** GET /api/v1/me */
export const Me = Type.Object({
  person: Type.Object({
    id: Type.String(),
    name: Nullable(Type.String()),
    email: Nullable(Type.String()),
    subject: Type.String(),
    groups: Type.Array(Type.String(), { description: 'As the provider said at the last sign-in.' }),
  }),
  roles: Type.Array(RoleName),
  session: Type.Object({ id: Type.String(), signedInAt: Whole, expiresAt: Whole }),
  signOut: Type.String({ description: 'POST JSON here; the answer is `{location}`.' }),
  relay: Type.Object({ id: Type.String(), version: Type.String() }),
  contact: Nullable(Type.String(), 'Whom to ask for access.'),
});
export type Me = Static<typeof Me>;
