import Type, { type Static } from 'typebox';
import { parser } from '../lib/schema.ts';
import type { Credential } from './credentials.ts';
import { callRelay } from './relay-api.ts';

/** What the audit log of a relay is now, signed by it. */
export async function fetchCheckpoint(credential: Credential, signal: AbortSignal): Promise<FetchedCheckpoint> {
  return parseAnswer(await callRelay({ ...credential, path: '/api/v1/audit/checkpoint', signal }));
}

const Answer = Type.Object({ checkpoint: Type.String(), key: Type.String() });
export type FetchedCheckpoint = Static<typeof Answer>;

const parseAnswer = parser(Answer, "The relay's answer", 'request_invalid');
