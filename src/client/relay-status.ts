import { PosternError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { findRelay } from './find-relay.ts';
import { fetchMe, type Me } from './me.ts';
import { loginCommand, type Profile } from './profiles.ts';

export interface RelayStatus {
  /** From the first packet to the whole answer, with name, TCP and TLS; undefined when none came. */
  readonly answeredInMs: number | undefined;
  /** By the relay's word; undefined when signed out, or unknown. */
  readonly me: Me | undefined;
  /** What to put right; undefined when all is well. Its code says where the trouble is. */
  readonly problem: PosternError | undefined;
}

/** Asks the relay of a profile whether it answers, and whether the sign-in holds. Rejects only with `aborted`. */
export async function askRelayStatus(profile: Profile, signal: AbortSignal, now = Date.now()): Promise<RelayStatus> {
  const { name, relay, credential } = profile;
  const startedAt = performance.now();
  const signedOut = (why: string) => new PosternError('unauthenticated', `${why} Run: ${loginCommand(relay, name)}`);
  let me: Me | undefined;
  let problem: PosternError | undefined;
  try {
    if (credential && credential.expiresAt > now)
      me = await fetchMe({ relay, profile: name, ...credential, token: new Secret(credential.token) }, signal);
    else {
      problem = signedOut(credential ? 'Your sign-in has expired.' : 'You are signed out.');
      await findRelay(relay, signal);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof PosternError)) throw error;
    if (error.code !== 'unauthenticated') return { answeredInMs: undefined, me: undefined, problem: error };
    problem = signedOut('The relay has ended this sign-in.');
  }
  return { answeredInMs: performance.now() - startedAt, me, problem };
}
