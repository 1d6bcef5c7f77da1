import Type, { type Static, type TSchema } from 'typebox';
import { parser } from '../lib/schema.ts';
import type { Credential } from './credentials.ts';
import { callRelay } from './relay-api.ts';

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Me = Type.Object({
  person: Type.Object({
    id: Type.String(),
    name: Nullable(Type.String()),
    email: Nullable(Type.String()),
    subject: Type.String(),
    groups: Type.Optional(Type.Array(Type.String())),
  }),
  roles: Type.Array(Type.String()),
  session: Type.Object({ id: Type.String(), signedInAt: Type.Number(), expiresAt: Type.Number() }),
  contact: Nullable(Type.String()),
  /** Relays of before 0.1.0 do not say it. */
  relay: Type.Optional(Type.Object({ version: Type.String({ pattern: '^[\\w.+-]{1,60}$' }) })),
});
/** Times are epoch ms. */
export type Me = Static<typeof Me>;

/** Who the relay says this command line acts as. */
export async function fetchMe(credential: Credential, signal: AbortSignal): Promise<Me> {
  return parseMe(await callRelay({ ...credential, path: '/api/v1/me', signal }));
}

const parseMe = parser(Me, "The relay's answer", 'request_invalid');
