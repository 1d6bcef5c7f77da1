import { proxyFromEnvironment } from '../../config/http-proxy.ts';
import { PosternError } from '../../lib/errors.ts';
import { loadCredential } from '../credentials.ts';
import { type AtRelay, chooseProfile, type Profile } from '../profiles.ts';
import { ClientTunnel } from './client-tunnel.ts';

export interface PersonTunnel {
  readonly profile: Profile;
  readonly tunnel: ClientTunnel;
}

/** The tunnel of the person whom a command means; signing in may be due. `unauthenticated` where nobody ever signed in. */
export function tunnelOfPerson(at: AtRelay, env = process.env): PersonTunnel {
  const profile = chooseProfile(at, env);
  if (!profile)
    throw new PosternError('unauthenticated', `You are not signed in. Run: postern login ${at.relay ?? 'URL'}`);
  const proxy = proxyFromEnvironment(profile.relay, env);
  if (typeof proxy === 'string') throw new PosternError('config_invalid', proxy);
  const credential = () => loadCredential({ profile: profile.name }, env);
  return { profile, tunnel: new ClientTunnel({ credential, proxy }) };
}
