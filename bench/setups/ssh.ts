import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runToEnd, startChild } from '../child.ts';
import { freePort, temporaryDirectory } from '../place.ts';
import { BenchError, type Setup } from '../setup.ts';
import type { Target } from './target.ts';

/** Where sshd, started by root, insists on an empty directory. */
const PRIVILEGE_SEPARATION = '/run/sshd';

/** `ssh -R` over loopback: own sshd, keys and configuration; the ciphers both sides choose by default. */
export async function startSsh(stack: AsyncDisposableStack, target: Target, signal: AbortSignal): Promise<Setup> {
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(existsSync);
  if (!sshd) throw new BenchError('sshd is not installed. On Debian: apt-get install openssh-server');
  const directory = await temporaryDirectory(stack, 'ssh');
  if (process.getuid?.() === 0 && !existsSync(PRIVILEGE_SEPARATION)) {
    await mkdir(PRIVILEGE_SEPARATION, { mode: 0o755 });
    stack.defer(() => rmdir(PRIVILEGE_SEPARATION));
  }
  const hostKey = join(directory, 'host_key');
  const userKey = join(directory, 'user_key');
  for (const key of [hostKey, userKey]) {
    await runToEnd('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', key], { signal });
  }
  const port = await freePort();
  const configuration = join(directory, 'sshd_config');
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(configuration, sshdConfiguration(port, hostKey, `${userKey}.pub`));
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${await readFile(`${hostKey}.pub`, 'utf8')}`);

  const server = stack.use(
    await startChild(sshd, ['-D', '-e', '-f', configuration], { ready: /Server listening on/, signal }),
  );
  const client = stack.use(
    await startChild('ssh', clientArguments(port, userKey, knownHosts, target.port), {
      ready: /Allocated port (\d+) for remote forward/,
      signal,
    }),
  );
  return {
    name: 'ssh',
    port: Number(client.match),
    headers: {},
    parts: [{ name: 'sshd', pid: server.pid, own: true }, { name: 'ssh', pid: client.pid, own: true }, target.part],
  };
}

function sshdConfiguration(port: number, hostKey: string, authorizedKeys: string): string {
  return `ListenAddress 127.0.0.1
Port ${port}
HostKey ${hostKey}
AuthorizedKeysFile ${authorizedKeys}
StrictModes no
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding remote
LogLevel INFO
`;
}

function clientArguments(port: number, key: string, knownHosts: string, targetPort: number): string[] {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'ExitOnForwardFailure=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
  ];
  return [
    ...['-N', '-F', 'none', '-i', key, '-p', String(port)],
    ...options.flatMap((option) => ['-o', option]),
    ...['-R', `127.0.0.1:0:127.0.0.1:${targetPort}`, `${userInfo().username}@127.0.0.1`],
  ];
}
