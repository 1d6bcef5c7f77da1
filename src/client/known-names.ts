import { rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { parser } from '../lib/schema.ts';
import { listAgents } from './agents.ts';
import { type Credential, loadCredential } from './credentials.ts';
import { readTextFile, writePrivateFile } from './private-file.ts';
import type { AtRelay } from './profiles.ts';
import { listResources } from './resources.ts';

const Names = Type.Object({
  /** When the relay was asked last, answered or not, epoch ms. */
  askedAt: Type.Number(),
  resources: Type.Array(Type.Object({ name: Type.String(), protocol: Type.String(), title: Type.String() })),
  agents: Type.Array(Type.String()),
});
export type KnownNames = Static<typeof Names>;

/** A name that was made a moment ago may be missing for so long. */
const FRESH_MS = 60_000;
/** Somebody holds the Tab key. */
const ASK_MS = 600;
/** Per kind; nobody chooses from more. */
const MAX_NAMES = 1_000;

const NONE: KnownNames = { askedAt: 0, resources: [], agents: [] };

/** Names for completion, from a small file or, where that is old, from the relay within `ASK_MS`. Never rejects; none for who is signed out. */
export async function knownNames(at: AtRelay, env = process.env, now = Date.now()): Promise<KnownNames> {
  let credential: Credential;
  try {
    credential = loadCredential(at, env, now);
  } catch {
    return NONE;
  }
  const path = namesPath(credential.profile ?? 'unnamed', env);
  const kept = readNames(path);
  if (kept.askedAt + FRESH_MS > now) return kept;
  const names = { ...kept, ...(await askNames(credential)), askedAt: now };
  try {
    writePrivateFile(path, JSON.stringify(names));
  } catch {
    // Then it is asked again.
  }
  return names;
}

/** Of a profile that signs out. */
export function forgetNames(profile: string, env = process.env): void {
  rmSync(namesPath(profile, env), { force: true });
}

/** What was answered in time; agents are for admins only. */
async function askNames(credential: Credential): Promise<Partial<KnownNames>> {
  const signal = AbortSignal.timeout(ASK_MS);
  const [resources, agents] = await Promise.allSettled([
    listResources(credential, signal),
    listAgents(credential, signal),
  ]);
  return {
    ...(resources.status === 'fulfilled'
      ? {
          resources: resources.value
            .slice(0, MAX_NAMES)
            .map(({ name, protocol, title }) => ({ name, protocol, title })),
        }
      : {}),
    ...(agents.status === 'fulfilled' ? { agents: agents.value.slice(0, MAX_NAMES).map(({ name }) => name) } : {}),
  };
}

const parseNames = parser(Names, 'The names', 'request_invalid');

function readNames(path: string): KnownNames {
  try {
    return parseNames(JSON.parse(readTextFile(path) ?? ''));
  } catch {
    return NONE;
  }
}

function namesPath(profile: string, env: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), 'names', `${profile}.json`);
}

/** Below POSTERN_CONFIG_DIR, else under the XDG base directory for what can be had again. */
function cacheDirectory(env: NodeJS.ProcessEnv): string {
  const own = env['POSTERN_CONFIG_DIR'];
  return own ? join(own, 'cache') : join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'postern');
}
