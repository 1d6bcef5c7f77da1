import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { run } from './step.ts';

interface SystemPackage {
  /** Debian's name. */
  readonly name: string;
  /** It is there when one of these matches a file. */
  readonly files: readonly string[];
  /** Which tests are affected without it. */
  readonly usedBy: string;
}

/** Programs that tests run for real and that npm does not bring. */
const PACKAGES: readonly SystemPackage[] = [
  { name: 'postgresql', files: ['/usr/lib/postgresql/*/bin/initdb'], usedBy: 'test/store, test/audit, test/e2e' },
  { name: 'openssl', files: ['/usr/bin/openssl'], usedBy: 'test/relay, test/config' },
  { name: 'chromium', files: ['/usr/bin/chromium'], usedBy: 'test/e2e' },
  { name: 'jupyter-notebook', files: ['/usr/bin/jupyter-notebook'], usedBy: 'test/e2e' },
  { name: 'iproute2', files: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'], usedBy: 'test/e2e' },
  { name: 'nftables', files: ['/usr/sbin/nft', '/usr/bin/nft'], usedBy: 'test/e2e' },
  { name: 'curl', files: ['/usr/bin/curl'], usedBy: 'test/cli, test/client, test/e2e' },
  { name: 'git', files: ['/usr/bin/git'], usedBy: 'test/apps, test/e2e' },
  { name: 'zsh', files: ['/usr/bin/zsh', '/bin/zsh'], usedBy: 'test/cli' },
  { name: 'fish', files: ['/usr/bin/fish'], usedBy: 'test/cli' },
  { name: 'slowhttptest', files: ['/usr/bin/slowhttptest'], usedBy: 'test/faults' },
  { name: 'openssh-server', files: ['/usr/sbin/sshd'], usedBy: 'bench' },
  { name: 'nginx-light', files: ['/usr/sbin/nginx'], usedBy: 'bench, test/apps' },
  { name: 'fcgiwrap', files: ['/usr/sbin/fcgiwrap'], usedBy: 'test/apps' },
  { name: 'prometheus', files: ['/usr/bin/prometheus'], usedBy: 'test/apps' },
  { name: 'rabbitmq-server', files: ['/usr/lib/rabbitmq/bin/rabbitmq-server'], usedBy: 'test/apps' },
  { name: 'wrk', files: ['/usr/bin/wrk'], usedBy: 'bench' },
];

/** Installs what is missing, where that is possible; otherwise says what to install and ends with code 1. */
export async function requireSystemPackages(): Promise<void> {
  const missing = PACKAGES.filter(({ files }) => globSync(files).length === 0);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (!isDebian() || process.getuid?.() !== 0) return refuse(missing);

  process.stderr.write(`\n== Installing ${names.join(', ')} (apt)\n`);
  // Servers must not start by themselves on the machine of whoever runs the tests.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await run('apt-get', ['update', '-qq'], env);
  const code = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], env);
  if (code !== 0) refuse(missing);
}

function refuse(missing: readonly SystemPackage[]): never {
  const lines = missing.map(({ name, usedBy }) => `  ${name.padEnd(18)} for ${usedBy}`);
  process.stderr.write(
    `\n== FAILED: programs that the tests run are missing\n${lines.join('\n')}\n` +
      `Install them, on Debian with:\n  sudo apt-get install ${missing.map(({ name }) => name).join(' ')}\n` +
      'Without them, `npm test -- --only unit` runs everything but test/e2e as far as it can.\n',
  );
  process.exit(1);
}

function isDebian(): boolean {
  return (
    existsSync('/etc/debian_version') &&
    spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0 &&
    readFileSync('/etc/os-release', 'utf8').includes('debian')
  );
}
