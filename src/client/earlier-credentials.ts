import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { configDirectory } from './config-directory.ts';
import { readTextFile, writePrivateFileOnce } from './private-file.ts';
import { defaultProfileName } from './profile-name.ts';

/** `credentials.json` of versions without profiles: one credential for each relay, by origin. */
const EarlierFile = Type.Object({
  current: Type.String(),
  relays: Type.Record(
    Type.String(),
    Type.Object({ token: Type.String(), expiresAt: Type.Number(), person: Type.String() }),
  ),
});

/** Makes a profile of each. Whatever exists already is newer and stays; several commands may do this at once. */
export function moveEarlierCredentials(env: NodeJS.ProcessEnv): void {
  const directory = configDirectory(env);
  const path = join(directory, 'credentials.json');
  const text = readTextFile(path);
  if (text === undefined) return;
  const { current, relays } = parseFile(text, path);
  for (const [relay, credential] of Object.entries(relays))
    writePrivateFileOnce(
      join(directory, 'profiles', `${defaultProfileName(relay)}.json`),
      `${JSON.stringify({ relay, credential }, null, 2)}\n`,
    );
  if (relays[current]) writePrivateFileOnce(join(directory, 'current'), `${defaultProfileName(current)}\n`);
  rmSync(path, { force: true });
}

const parseEarlier = parser(EarlierFile, 'The credentials file', 'request_invalid');

function parseFile(text: string, path: string) {
  try {
    return parseEarlier(JSON.parse(text));
  } catch (cause) {
    throw new PosternError('request_invalid', `${path} is damaged. Delete it and sign in again.`, { cause });
  }
}
