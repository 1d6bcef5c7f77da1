import Type, { type Static } from 'typebox';
import { parser } from '../lib/schema.ts';
import type { Credential } from './credentials.ts';
import { callRelay } from './relay-api.ts';

/** A token that enrolls this agent, once, until `expiresAt` (epoch ms). */
export async function createEnrollmentToken(
  credential: Credential,
  agent: string,
  signal: AbortSignal,
): Promise<Static<typeof EnrollmentToken>> {
  return parseToken(await post(credential, agent, 'tokens', signal));
}

/** Ends the agent's authority and its tunnels. */
export async function revokeAgent(credential: Credential, agent: string, signal: AbortSignal): Promise<void> {
  await post(credential, agent, 'revoke', signal);
}

function post({ relay, token }: Credential, agent: string, what: string, signal: AbortSignal): Promise<unknown> {
  const path = `/api/v1/agents/${encodeURIComponent(agent)}/${what}`;
  return callRelay({ relay, token, method: 'POST', path, json: {}, signal });
}

const EnrollmentToken = Type.Object({ token: Type.String({ minLength: 1 }), expiresAt: Type.Number() });

const parseToken = parser(EnrollmentToken, "The relay's answer", 'request_invalid');
