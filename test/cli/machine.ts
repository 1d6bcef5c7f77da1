import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { WholeRelay } from '../control/whole-relay.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Where people use `postern`: with profiles of its own, which are gone when it is disposed. */
export interface Machine extends Disposable {
  readonly env: NodeJS.ProcessEnv;
  /** Runs `postern`, without input. Not synchronous: the relay may live in this process. */
  readonly postern: (...args: string[]) => Promise<Ran>;
  /** A profile of this name, signed in at the relay; its session's cookie and its token. The first one is current. */
  signIn(relay: WholeRelay, name: string, groups?: readonly string[]): Promise<{ cookie: string; token: string }>;
}

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export function createMachine(): Machine {
  const directory = mkdtempSync(join(tmpdir(), 'postern-machine-'));
  const env = { ...process.env, POSTERN_CONFIG_DIR: directory, POSTERN_PROFILE: '' };
  let people = 0;
  return {
    env,
    async postern(...args) {
      const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
      return { status: status as number | null, out, err };
    },
    async signIn(relay, name, groups = []) {
      const cookie = await relay.signIn(name, [...groups]);
      const token = await relay.issueToken(cookie);
      const expiresAt = Date.now() + 600_000;
      const credential = { relay: relay.origin, token: new Secret(token), expiresAt, person: name, profile: name };
      people += 1;
      saveCredential(credential, env, { current: people === 1 });
      return { cookie, token };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
