import Type from 'typebox';
import { hasCode, PosternError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Credential } from './credentials.ts';
import { answerParser } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';
import { listResources, type ReachableResource } from './resources.ts';
import { TokenText } from './token-text.ts';

export interface ResourceToken {
  readonly token: Secret;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Origin of the one resource that takes it. */
  readonly audience: string;
}

/** A token for one http resource, which ends with this sign-in, or after `lifeMs`. */
export function issueResourceToken(
  credential: Credential,
  { name, protocol, origin }: ReachableResource,
  signal: AbortSignal,
  lifeMs?: number,
): Promise<ResourceToken> {
  if (origin === undefined)
    throw new PosternError('request_invalid', `${name} is ${protocol}, which takes no token. See: postern ls`);
  return issueTokenFor(credential, origin, signal, lifeMs);
}

/** The same by the origin of a resource. Rejects with `not_found` where there is none. */
export async function issueTokenFor(
  credential: Credential,
  audience: string,
  signal: AbortSignal,
  lifeMs?: number,
): Promise<ResourceToken> {
  const json = { audience, ...(lifeMs === undefined ? {} : { lifeMs }) };
  try {
    const issued = parseIssued(
      await callRelay({ ...credential, method: 'POST', path: '/api/v1/tokens', json, signal }),
    );
    return { token: new Secret(issued.token), expiresAt: issued.expiresAt, audience };
  } catch (error) {
    if (!hasCode(error, 'forbidden') || lifeMs !== undefined) throw error;
    return ownToken(credential, audience, signal);
  }
}

/** A service is issued none: its own is for its resources already, and must not reach any other place. */
async function ownToken(credential: Credential, audience: string, signal: AbortSignal): Promise<ResourceToken> {
  const { token, expiresAt, person, relay } = credential;
  const reachable = await listResources(credential, signal);
  if (reachable.some(({ origin }) => origin === audience)) return { token, expiresAt, audience };
  throw new PosternError('not_found', `There is no app at ${audience} that ${person} may reach by ${relay}.`);
}

const parseIssued = answerParser(Type.Object({ token: TokenText, expiresAt: Type.Number() }));
