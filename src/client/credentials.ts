import { PosternError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { readCurrent, readProfile, writeCurrent, writeProfile } from './profile-files.ts';
import { type AtRelay, chooseProfile, loginCommand, profileNameFor } from './profiles.ts';

export interface Credential {
  /** Origin. */
  readonly relay: string;
  readonly token: Secret;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** E-mail or name, as the relay says it. */
  readonly person: string;
  /** Name of the profile that keeps it; absent before it is kept. */
  readonly profile?: string;
  /** It came from a file, as that of a service; else a person signed in. */
  readonly byTokenFile?: true;
}

/** The credential of the profile that is meant. `unauthenticated` when there is none or it expired. */
export function loadCredential(at: AtRelay = {}, env = process.env, now = Date.now()): Credential {
  const found = chooseProfile(at, env);
  if (!found)
    throw new PosternError('unauthenticated', `You are not signed in. Run: postern login ${at.relay ?? 'URL'}`);
  const { name: profile, relay, credential } = found;
  const run = `Run: ${loginCommand(relay, profile, env)}`;
  if (!credential) throw new PosternError('unauthenticated', `You are signed out. ${run}`);
  if (credential.expiresAt <= now) throw new PosternError('unauthenticated', `Your sign-in has expired. ${run}`);
  const { token, expiresAt, person } = credential;
  return { relay, token: new Secret(token), expiresAt, person, profile };
}

/** Keeps a new sign-in and gives the path of its file. `current`: the one that commands mean from now on. */
export function saveCredential(credential: Credential, env = process.env, { current = true } = {}): string {
  const { relay, token, expiresAt, person, byTokenFile } = credential;
  const name = credential.profile ?? profileNameFor(relay, {}, env);
  const kept = { token: token.reveal(), expiresAt, person };
  const path = writeProfile(name, { relay, ...(byTokenFile ? { byTokenFile } : {}), credential: kept }, env);
  if (current || readCurrent(env) === undefined) writeCurrent(name, env);
  return path;
}

/** The profile stays, signed out, and still knows its relay. */
export function forgetCredential(profile: string, env = process.env): void {
  const stored = readProfile(profile, env);
  if (!stored) return;
  const { credential: _forgotten, ...rest } = stored;
  writeProfile(profile, rest, env);
}
