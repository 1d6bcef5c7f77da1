import { hasCode } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { forgetCredential } from './credentials.ts';
import { forgetNames } from './known-names.ts';
import type { Profile } from './profiles.ts';
import { callRelay } from './relay-api.ts';

export interface LogoutOptions {
  readonly signal: AbortSignal;
  /** Also the browser in which the person agreed, with its apps and its other command lines; else those stay. */
  readonly everywhere?: boolean;
}

/**
 * Ends a sign-in at the relay, with every token that came from it, and forgets it here, whatever the relay says. Rejects
 * with what kept the relay from being told. `goes_on`: a service does, whose token is not its own to end.
 */
export async function logout(
  { name, relay, credential }: Profile,
  { signal, everywhere = false }: LogoutOptions,
): Promise<'ended' | 'goes_on'> {
  forgetCredential(name);
  forgetNames(name);
  if (!credential || credential.expiresAt <= Date.now()) return 'ended';
  const token = new Secret(credential.token);
  try {
    const what = everywhere
      ? ({ method: 'POST', path: '/api/v1/sign-out' } as const)
      : ({ method: 'DELETE', path: '/api/v1/tokens/current' } as const);
    await callRelay({ relay, token, ...what, json: {}, signal });
  } catch (error) {
    if (hasCode(error, 'forbidden')) return 'goes_on';
    // It has ended there already.
    if (!hasCode(error, 'unauthenticated')) throw error;
  }
  return 'ended';
}
