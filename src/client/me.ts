import Type, { type Static } from 'typebox';
import type { Credential } from './credentials.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

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

const parseMe = answerParser(Me);
