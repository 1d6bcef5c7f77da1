import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { configDirectory } from './config-directory.ts';
import { moveEarlierCredentials } from './earlier-credentials.ts';
import { readTextFile, writePrivateFile } from './private-file.ts';
import { isProfileName } from './profile-name.ts';

const StoredProfile = Type.Object({
  /** Origin. */
  relay: Type.String(),
  /** A program's: its token came from a file, and no browser gets it another. */
  byTokenFile: Type.Optional(Type.Literal(true)),
  /** Absent when signed out. */
  credential: Type.Optional(
    Type.Object({
      token: Type.String(),
      /** Epoch ms. */
      expiresAt: Type.Number(),
      person: Type.String(),
    }),
  ),
});
export type StoredProfile = Static<typeof StoredProfile>;

/** One file for each profile, so that commands that write at the same time lose nothing of each other. */
export function readProfile(name: string, env: NodeJS.ProcessEnv): StoredProfile | undefined {
  moveEarlierCredentials(env);
  if (!isProfileName(name)) return undefined;
  const path = profilePath(name, env);
  const text = readTextFile(path);
  if (text === undefined) return undefined;
  try {
    return parseProfile(JSON.parse(text));
  } catch (cause) {
    throw new PosternError('request_invalid', `${path} is damaged. Delete it and sign in again.`, { cause });
  }
}

export function writeProfile(name: string, profile: StoredProfile, env: NodeJS.ProcessEnv): string {
  moveEarlierCredentials(env);
  const path = profilePath(name, env);
  writePrivateFile(path, `${JSON.stringify(profile, null, 2)}\n`);
  return path;
}

/** Sorted. */
export function profileNames(env: NodeJS.ProcessEnv): string[] {
  moveEarlierCredentials(env);
  let files: string[];
  try {
    files = readdirSync(join(configDirectory(env), 'profiles'));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter(isProfileName)
    .toSorted();
}

/** The profile that `postern use`, or the last sign-in, has chosen. */
export function readCurrent(env: NodeJS.ProcessEnv): string | undefined {
  moveEarlierCredentials(env);
  return readTextFile(currentPath(env))?.trim();
}

export function writeCurrent(name: string, env: NodeJS.ProcessEnv): void {
  writePrivateFile(currentPath(env), `${name}\n`);
}

const parseProfile = parser(StoredProfile, 'The profile', 'request_invalid');

function profilePath(name: string, env: NodeJS.ProcessEnv): string {
  return join(configDirectory(env), 'profiles', `${name}.json`);
}

function currentPath(env: NodeJS.ProcessEnv): string {
  return join(configDirectory(env), 'current');
}
