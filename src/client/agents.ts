import Type, { type Static } from 'typebox';
import type { Credential } from './credentials.ts';
import { listAll, type Page } from './list-all.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

const AgentView = Type.Object({
  name: Type.String(),
  configured: Type.Boolean(),
  enrolledAt: Nullable(Type.Number()),
  revokedAt: Nullable(Type.Number()),
  keyThumbprint: Nullable(Type.String()),
  scope: Type.Array(Type.String()),
  drainedAt: Nullable(Type.Number()),
  tunnels: Type.Array(
    Type.Object({
      id: Type.String(),
      connectedAt: Type.Number(),
      expiresAt: Type.Number(),
      resources: Type.Array(Type.String()),
      unreachable: Type.Array(Type.String()),
      streams: Type.Number(),
      roundTripMs: Type.Number(),
    }),
  ),
});
/** Times are epoch ms. */
export type AgentView = Static<typeof AgentView>;

const TokenView = Type.Object({
  id: Type.String(),
  agent: Type.String(),
  createdAt: Type.Number(),
  expiresAt: Type.Number(),
  scope: Type.Array(Type.String()),
});
export type TokenView = Static<typeof TokenView>;

const parsePage = answerParser(Type.Object({ agents: Type.Array(AgentView), next: Nullable(Type.String()) }));
const parseTokens = answerParser(Type.Object({ tokens: Type.Array(TokenView) }));
const parseToken = answerParser(Type.Object({ token: Type.String({ minLength: 1 }), expiresAt: Type.Number() }));

/** All agents by name, with their live tunnels at this relay. */
export function listAgents(credential: Credential, signal: AbortSignal): Promise<AgentView[]> {
  return listAll(credential, '/api/v1/agents', readPage, signal);
}

/** A token that enrolls this agent, once, until `expiresAt` (epoch ms). `scope`: names it may announce beyond the relay's file. */
export async function createEnrollmentToken(
  credential: Credential,
  agent: string,
  scope: readonly string[],
  signal: AbortSignal,
): Promise<{ token: string; expiresAt: number }> {
  return parseToken(await post(credential, `${encodeURIComponent(agent)}/tokens`, { scope }, signal));
}

/** Those that can still be redeemed. */
export async function listEnrollmentTokens(credential: Credential, signal: AbortSignal): Promise<TokenView[]> {
  return parseTokens(await callRelay({ ...credential, path: '/api/v1/agents/tokens', signal })).tokens;
}

export async function revokeEnrollmentToken(credential: Credential, id: string, signal: AbortSignal): Promise<void> {
  await post(credential, `tokens/${encodeURIComponent(id)}/revoke`, {}, signal);
}

/** Ends the agent's authority and its tunnels. */
export async function revokeAgent(credential: Credential, agent: string, signal: AbortSignal): Promise<void> {
  await post(credential, `${encodeURIComponent(agent)}/revoke`, {}, signal);
}

/** No new streams for the agent, or again. */
export async function drainAgent(
  credential: Credential,
  agent: string,
  drained: boolean,
  signal: AbortSignal,
): Promise<void> {
  await post(credential, `${encodeURIComponent(agent)}/drain`, { drained }, signal);
}

function readPage(answer: unknown): Page<AgentView> {
  const { agents, next } = parsePage(answer);
  return { rows: agents, next };
}

function post(credential: Credential, path: string, json: object, signal: AbortSignal): Promise<unknown> {
  return callRelay({ ...credential, method: 'POST', path: `/api/v1/agents/${path}`, json, signal });
}
