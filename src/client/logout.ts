import { hasCode } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { forgetCredential } from './credentials.ts';
import { forgetNames } from './known-names.ts';
import type { Profile } from './profiles.ts';
import { callRelay } from './relay-api.ts';

/**
 * Ends a sign-in at the relay, with every token that came from it, and forgets it here, whatever the relay says. Rejects
 * with what kept the relay from being told. The browser stays signed in; `goes_on`: so does a service, whose token is not
 * its own to end.
 */
export async function logout({ name, relay, credential }: Profile, signal: AbortSignal): Promise<'ended' | 'goes_on'> {
  forgetCredential(name);
  forgetNames(name);
  if (!credential || credential.expiresAt <= Date.now()) return 'ended';
  const token = new Secret(credential.token);
  try {
    await callRelay({ relay, token, method: 'DELETE', path: '/api/v1/tokens/current', json: {}, signal });
  } catch (error) {
    if (hasCode(error, 'forbidden')) return 'goes_on';
    // It has ended there already.
    if (!hasCode(error, 'unauthenticated')) throw error;
  }
  return 'ended';
}
