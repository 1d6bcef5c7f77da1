import { PosternError } from '../lib/errors.ts';
import { profileNames, readCurrent, readProfile, type StoredProfile, writeCurrent } from './profile-files.ts';
import { defaultProfileName, isProfileName, PROFILE_NAME_RULE } from './profile-name.ts';

/** A person at a relay, under a name of one's own choice. */
export interface Profile extends StoredProfile {
  readonly name: string;
}

/** What the options of a command say about relay and person. */
export interface AtRelay {
  readonly profile?: string;
  /** Origin. */
  readonly relay?: string;
}

/**
 * The profile that a command means: by name (option, else POSTERN_PROFILE), else by its relay, else the current one,
 * else the only one. undefined when none fits; `not_found` for a name that does not exist, `request_invalid` for a name
 * of another relay.
 */
export function chooseProfile({ profile, relay }: AtRelay, env = process.env): Profile | undefined {
  if (profile !== undefined) {
    const named = requireProfile(profile, env);
    if (relay === undefined || named.relay === relay) return named;
    throw new PosternError('request_invalid', `The profile ${profile} is of ${named.relay}, not of ${relay}.`);
  }
  const preferred = env['POSTERN_PROFILE'];
  if (relay === undefined) {
    if (preferred) return requireProfile(preferred, env);
    const current = currentProfile(env);
    const names = current ? [] : profileNames(env);
    return current ?? (names.length === 1 ? findProfile(names[0] ?? '', env) : undefined);
  }
  const atRelay = [preferred, readCurrent(env), defaultProfileName(relay), ...profileNames(env)];
  for (const name of atRelay) {
    const found = name ? ifReadable(name, env) : undefined;
    if (found?.relay === relay) return found;
  }
  return undefined;
}

/** Where a sign-in at this relay is kept: the profile that a command would mean, else a new one. */
export function profileNameFor(relay: string, { profile }: AtRelay, env = process.env): string {
  const wanted = profile ?? env['POSTERN_PROFILE'];
  if (!wanted) {
    const known = chooseProfile({ relay }, env);
    if (known) return known.name;
    return freeName(defaultProfileName(relay), env);
  }
  if (!isProfileName(wanted))
    throw new PosternError('request_invalid', `${wanted} is no name for a profile: ${PROFILE_NAME_RULE}.`);
  const there = findProfile(wanted, env);
  if (!there || there.relay === relay) return wanted;
  throw new PosternError(
    'request_invalid',
    `The profile ${wanted} is of ${there.relay}. Give this sign-in another name: postern login ${relay} --profile NAME`,
  );
}

/** Makes it the one that commands mean when nothing is said. */
export function useProfile(name: string, env = process.env): Profile {
  const profile = requireProfile(name, env);
  writeCurrent(name, env);
  return profile;
}

/** By name. */
export function listProfiles(env = process.env): Profile[] {
  return profileNames(env).flatMap((name) => findProfile(name, env) ?? []);
}

export function currentProfile(env = process.env): Profile | undefined {
  const name = readCurrent(env);
  return name === undefined ? undefined : findProfile(name, env);
}

/** The command that signs a profile in, whatever is current; without one, that signs in at a relay. */
export function loginCommand(relay: string, profile?: string, env = process.env): string {
  const meant = chooseProfile({ relay }, env);
  const isMeant = profile === undefined || meant?.name === profile;
  const how = (isMeant ? meant : findProfile(profile, env))?.byTokenFile ? ' --token-file FILE' : '';
  return `${isMeant ? `postern login ${relay}` : `postern login --profile ${profile}`}${how}`;
}

/** The name, or with a number where another relay has it. */
function freeName(name: string, env: NodeJS.ProcessEnv): string {
  const taken = new Set(profileNames(env));
  for (let free = name, next = 2; ; next += 1) {
    if (!taken.has(free)) return free;
    free = `${name.slice(0, 56)}-${next}`;
  }
}

function findProfile(name: string, env: NodeJS.ProcessEnv): Profile | undefined {
  const stored = readProfile(name, env);
  return stored && { name, ...stored };
}

/** A damaged file is no hindrance to the others. */
function ifReadable(name: string, env: NodeJS.ProcessEnv): Profile | undefined {
  try {
    return findProfile(name, env);
  } catch {
    return undefined;
  }
}

function requireProfile(name: string, env: NodeJS.ProcessEnv): Profile {
  const found = findProfile(name, env);
  if (found) return found;
  const names = profileNames(env);
  const known = names.length === 0 ? 'There is none yet.' : `There is ${names.join(', ')}.`;
  throw new PosternError(
    'not_found',
    `There is no profile ${name}. ${known} A new one: postern login URL --profile ${name}`,
  );
}
