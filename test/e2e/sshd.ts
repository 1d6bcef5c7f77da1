import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { within } from '../../src/lib/wait.ts';

const run = promisify(execFile);
const START_LIMIT_MS = 15_000;

export interface Sshd extends AsyncDisposable {
  /** What the agent dials. */
  readonly target: string;
  readonly user: string;
  /** Words for an ssh that has the key which this server lets in, and reads no settings of the machine. */
  readonly options: readonly string[];
  readonly knownHosts: string;
  /** One entry for each connection that it took. */
  readonly connections: readonly string[];
}

/** The system's OpenSSH server, on the loopback of a network of its own. */
export async function startSshd(prefix: readonly string[], port: number): Promise<Sshd> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-sshd-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const file = (name: string) => join(directory, name);
  for (const key of ['host', 'person'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', file(key)]);
  writeFileSync(file('authorized'), readFileSync(file('person.pub')), { mode: 0o600 });
  // Where its processes live that need no rights; usually made by what starts it.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const settings = {
    ListenAddress: `127.0.0.1:${port}`,
    HostKey: file('host'),
    PidFile: 'none',
    AuthorizedKeysFile: file('authorized'),
    StrictModes: 'no',
    PermitRootLogin: 'prohibit-password',
    PasswordAuthentication: 'no',
    UsePAM: 'no',
    LogLevel: 'VERBOSE',
    Subsystem: 'sftp internal-sftp',
  };
  writeFileSync(
    file('config'),
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  );

  const [command, ...words] = [...prefix, '/usr/sbin/sshd', '-D', '-e', '-f', file('config')];
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  undo.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const connections: string[] = [];
  const up = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('Connection from ')) connections.push(line);
    if (line.startsWith('Server listening')) up.resolve();
  });
  await within(START_LIMIT_MS, 'starting sshd', up.promise);

  const held = undo.move();
  return {
    target: `127.0.0.1:${port}`,
    user: userInfo().username,
    knownHosts: file('known_hosts'),
    connections,
    options: [
      ...[
        '-i',
        file('person'),
        '-o',
        'IdentitiesOnly=yes',
        '-o',
        'BatchMode=yes',
        '-o',
        'StrictHostKeyChecking=accept-new',
      ],
      ...['-o', `UserKnownHostsFile=${file('known_hosts')}`],
    ],
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
