import { proxyFromEnvironment } from '../../config/http-proxy.ts';
import { PosternError } from '../../lib/errors.ts';
import type { HttpProxy } from '../../lib/http-proxy.ts';
import { type Credential, loadCredential } from '../credentials.ts';
import { type AtRelay, chooseProfile, type Profile } from '../profiles.ts';
import { ClientTunnel } from './client-tunnel.ts';

/** The person as whom a command connects, from this machine. */
export interface PersonTunnel {
  readonly profile: Profile;
  readonly tunnel: ClientTunnel;
  readonly proxy: HttpProxy | undefined;
  /** The latest; throws `unauthenticated` when a sign-in is due. */
  credential(): Credential;
}

/** The profile that a command means, signed in or not. `unauthenticated` where there is none. */
export function requireProfile(at: AtRelay, env = process.env): Profile {
  const profile = chooseProfile(at, env);
  if (profile) return profile;
  throw new PosternError('unauthenticated', `You are not signed in. Run: postern login ${at.relay ?? 'URL'}`);
}

/** `unauthenticated` only where nobody ever signed in; else a sign-in may be due later. */
export function tunnelOfPerson(at: AtRelay, env = process.env): PersonTunnel {
  const profile = requireProfile(at, env);
  const proxy = proxyFromEnvironment(profile.relay, env);
  if (typeof proxy === 'string') throw new PosternError('config_invalid', proxy);
  const credential = () => loadCredential({ profile: profile.name }, env);
  return { profile, tunnel: new ClientTunnel({ credential, proxy }), proxy, credential };
}
