import Type, { type Static } from 'typebox';
import { Secret } from '../lib/secret.ts';
import type { Credential } from './credentials.ts';
import { listAll, type Page } from './list-all.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';
import { TokenText } from './token-text.ts';

const TextOrNull = Nullable(Type.String());
const TimeOrNull = Nullable(Type.Number());

const ServiceTokenView = Type.Object({
  id: Type.String(),
  label: TextOrNull,
  scope: Type.Array(Type.String()),
  createdAt: Type.Number(),
  expiresAt: Type.Number(),
  lastUsedAt: TimeOrNull,
  unused: Type.Boolean(),
});
/** Times are epoch ms. */
export type ServiceTokenView = Static<typeof ServiceTokenView>;

const ServiceView = Type.Object({
  name: Type.String(),
  description: TextOrNull,
  owner: Type.String(),
  createdAt: Type.Number(),
  disabledAt: TimeOrNull,
  tokens: Type.Array(ServiceTokenView),
});
export type ServiceView = Static<typeof ServiceView>;

export interface NewToken {
  readonly id: string;
  readonly token: Secret;
  readonly expiresAt: number;
}

/** All services with their live tokens, by name. */
export function listServices(credential: Credential, signal: AbortSignal): Promise<ServiceView[]> {
  return listAll(credential, '/api/v1/services', readPage, signal);
}

export async function createService(
  credential: Credential,
  service: { readonly name: string; readonly owner: string; readonly description?: string },
  signal: AbortSignal,
): Promise<void> {
  await post(credential, '', service, signal);
}

/** All its tokens end and it gets no more, or again. */
export async function disableService(
  credential: Credential,
  name: string,
  disabled: boolean,
  signal: AbortSignal,
): Promise<void> {
  await post(credential, `/${encodeURIComponent(name)}/disable`, { disabled }, signal);
}

export async function createServiceToken(
  credential: Credential,
  name: string,
  request: { readonly scope: readonly string[]; readonly expiresAt: number; readonly label?: string },
  signal: AbortSignal,
): Promise<NewToken> {
  return tokenOf(parseToken(await post(credential, `/${encodeURIComponent(name)}/tokens`, request, signal)));
}

/** `oldEndsAt`: when the token ends in whose place this one comes. */
export async function rotateServiceToken(
  credential: Credential,
  name: string,
  id: string,
  request: { readonly graceMs?: number; readonly expiresAt?: number },
  signal: AbortSignal,
): Promise<NewToken & { readonly oldEndsAt: number }> {
  const answer = parseRotated(await post(credential, tokenPath(name, id, 'rotate'), request, signal));
  return { ...tokenOf(answer), oldEndsAt: answer.oldEndsAt };
}

export async function revokeServiceToken(
  credential: Credential,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await post(credential, tokenPath(name, id, 'revoke'), {}, signal);
}

const tokenPath = (name: string, id: string, verb: string): string =>
  `/${encodeURIComponent(name)}/tokens/${encodeURIComponent(id)}/${verb}`;

function readPage(answer: unknown): Page<ServiceView> {
  const { services, next } = parsePage(answer);
  return { rows: services, next };
}

function post(credential: Credential, path: string, json: object, signal: AbortSignal): Promise<unknown> {
  return callRelay({ ...credential, method: 'POST', path: `/api/v1/services${path}`, json, signal });
}

function tokenOf({ id, token, expiresAt }: Static<typeof IssuedToken>): NewToken {
  return { id, token: new Secret(token), expiresAt };
}

const IssuedToken = Type.Object({ id: Type.String(), token: TokenText, expiresAt: Type.Number() });
const parsePage = answerParser(Type.Object({ services: Type.Array(ServiceView), next: TextOrNull }));
const parseToken = answerParser(IssuedToken);
const parseRotated = answerParser(Type.Object({ ...IssuedToken.properties, oldEndsAt: Type.Number() }));
