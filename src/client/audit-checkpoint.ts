import Type, { type Static } from 'typebox';
import type { Credential } from './credentials.ts';
import { answerParser } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

/** What the audit log of a relay is now, signed by it. */
export async function fetchCheckpoint(credential: Credential, signal: AbortSignal): Promise<FetchedCheckpoint> {
  return parseAnswer(await callRelay({ ...credential, path: '/api/v1/audit/checkpoint', signal }));
}

/** Lines of text. */
const Note = Type.String({ pattern: '^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$' });
const Answer = Type.Object({ checkpoint: Note, key: Note });
export type FetchedCheckpoint = Static<typeof Answer>;

const parseAnswer = answerParser(Answer);
