import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { Secret } from '../lib/secret.ts';

const CredentialsFile = Type.Object({
  /** Origin of the relay that commands use when none is named: the last one signed in at. */
  current: Type.String(),
  relays: Type.Record(
    Type.String(),
    Type.Object({ token: Type.String(), expiresAt: Type.Number(), person: Type.String() }),
  ),
});
type CredentialsFile = Static<typeof CredentialsFile>;

export interface Credential {
  readonly relay: string;
  readonly token: Secret;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** E-mail or name, as the relay says it. */
  readonly person: string;
}

/** The credential for a relay (default: the last one signed in at). `unauthenticated` when there is none or it expired. */
export function loadCredential(relay?: string, env = process.env, now = Date.now()): Credential {
  const file = readCredentials(env);
  const origin = relay ?? file?.current;
  if (!origin) throw new PosternError('unauthenticated', 'You are not signed in. Run: postern login URL');
  const entry = file?.relays[origin];
  if (!entry) throw new PosternError('unauthenticated', `You are not signed in. Run: postern login ${origin}`);
  if (entry.expiresAt <= now)
    throw new PosternError('unauthenticated', `Your sign-in has expired. Run: postern login ${origin}`);
  return { relay: origin, token: new Secret(entry.token), expiresAt: entry.expiresAt, person: entry.person };
}

/** Readable by this user only; replaced whole, so that a crash leaves the old file or the new one. */
export function saveCredential(credential: Credential, env = process.env): string {
  const path = credentialsPath(env);
  const { relay, token, expiresAt, person } = credential;
  const file: CredentialsFile = {
    current: relay,
    relays: { ...readCredentials(env)?.relays, [relay]: { token: token.reveal(), expiresAt, person } },
  };
  mkdirSync(configDirectory(env), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
  return path;
}

const parseCredentials = parser(CredentialsFile, 'The credentials file', 'request_invalid');

function readCredentials(env: NodeJS.ProcessEnv): CredentialsFile | undefined {
  const path = credentialsPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return parseCredentials(JSON.parse(text));
  } catch (cause) {
    throw new PosternError('request_invalid', `${path} is damaged. Delete it and sign in again.`, { cause });
  }
}

function credentialsPath(env: NodeJS.ProcessEnv): string {
  return join(configDirectory(env), 'credentials.json');
}

/** POSTERN_CONFIG_DIR, else `postern` under the XDG base directory for configuration. */
function configDirectory(env: NodeJS.ProcessEnv): string {
  return env['POSTERN_CONFIG_DIR'] ?? join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'postern');
}
