import Type from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { Secret } from '../lib/secret.ts';
import type { Credential } from './credentials.ts';
import { callRelay } from './relay-api.ts';
import type { ReachableResource } from './resources.ts';

export interface ResourceToken {
  readonly token: Secret;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Origin of the one resource that takes it. */
  readonly audience: string;
}

/** A token for one http resource, which ends with this sign-in, or after `lifeMs`. */
export async function issueResourceToken(
  credential: Credential,
  resource: ReachableResource,
  signal: AbortSignal,
  lifeMs?: number,
): Promise<ResourceToken> {
  const { name, protocol, origin } = resource;
  if (origin === undefined)
    throw new PosternError('request_invalid', `${name} is ${protocol}, which takes no token. See: postern ls`);
  const json = { audience: origin, ...(lifeMs === undefined ? {} : { lifeMs }) };
  const issued = parseIssued(await callRelay({ ...credential, method: 'POST', path: '/api/v1/tokens', json, signal }));
  return { token: new Secret(issued.token), expiresAt: issued.expiresAt, audience: origin };
}

const parseIssued = parser(
  Type.Object({ token: Type.String({ pattern: '^[\\x21-\\x7e]+$' }), expiresAt: Type.Number() }),
  "The relay's answer",
  'request_invalid',
);
