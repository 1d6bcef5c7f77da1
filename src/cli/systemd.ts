import { readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { loadAgentConfig } from '../config/agent-config.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { systemdUnit } from './systemd-unit.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const UNIT_DIRECTORY = '/etc/systemd/system';

interface InstallOptions {
  config?: string;
  credential: Readonly<Record<string, string>>;
  group: string[];
  print?: true;
}

export function addServiceCommand(program: Command): void {
  program
    .command('service')
    .summary('run the agent or the relay under systemd')
    .description('Postern as a service of the system.')
    .command('install')
    .description(
      'Writes a hardened systemd unit: own user, read-only system, secrets as systemd credentials, always restarted.',
    )
    .addArgument(new Argument('<what>', 'which of them').choices(['agent', 'relay']))
    .option('--config <file>', 'its configuration (default: /etc/postern/agent.yaml or postern.yaml)')
    .option('--credential <name=file>', 'a secret the file asks for as credential:NAME (repeatable)', credential, {})
    .option('--group <group>', 'a group whose Unix sockets it must reach (repeatable)', collect, [])
    .option('--print', 'only print the unit')
    .action((what: 'agent' | 'relay', options: InstallOptions) => {
      const config = resolve(
        options.config ?? (what === 'agent' ? '/etc/postern/agent.yaml' : '/etc/postern/postern.yaml'),
      );
      const text = readText(config);
      if (what === 'agent' && !text.includes('credential:')) warnAboutState(config);
      const unit = systemdUnit({
        what,
        program: [process.execPath, process.argv[1] === undefined ? MAIN : resolve(process.argv[1])],
        config,
        credentials: { ...namedIn(text), ...options.credential },
        groups: options.group,
        lowPort: what === 'relay' && /:(80|443)\s*$/m.test(text),
        nodeExtraCaCerts: process.env['NODE_EXTRA_CA_CERTS'],
      });
      if (options.print) process.stdout.write(unit);
      else install(`postern-${what}`, unit);
    });
}

function install(name: string, unit: string): void {
  const path = `${UNIT_DIRECTORY}/${name}.service`;
  try {
    writeFileSync(path, unit, { mode: 0o644 });
  } catch (cause) {
    throw new PosternError(
      'config_invalid',
      `${path} cannot be written (${messageOf(cause)}). Run it as root, or take --print and put it there.`,
      { cause },
    );
  }
  process.stderr.write(`${path} is written. Start it, now and at each boot:\n`);
  process.stdout.write(`systemctl daemon-reload && systemctl enable --now ${name}\n`);
}

function readText(config: string): string {
  try {
    return readFileSync(config, 'utf8');
  } catch (cause) {
    throw new PosternError('config_invalid', `${config} cannot be read (${messageOf(cause)}). Name it with --config.`, {
      cause,
    });
  }
}

/** `credential:NAME` of the file → /etc/postern/NAME. */
function namedIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/\bcredential:([A-Za-z0-9_][A-Za-z0-9._-]{0,254})/g)].map(([, name = '']) => [
      name,
      `/etc/postern/${name}`,
    ]),
  );
}

/** The unit's user can write /var/lib/postern-agent and nothing else. */
function warnAboutState(config: string): void {
  const { stateDir } = loadAgentConfig(config);
  const within = relative('/var/lib/postern-agent', stateDir);
  if (within.startsWith('..') || isAbsolute(within))
    process.stderr.write(`Set "stateDir: /var/lib/postern-agent" in ${config}: the service can write nowhere else.\n`);
}

function credential(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, file] = /^([A-Za-z0-9_][A-Za-z0-9._-]{0,254})=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined)
    throw new InvalidArgumentError('Write it like client-secret=/etc/postern/client-secret');
  return { ...before, [name]: resolve(file) };
}

function collect(text: string, before: string[]): string[] {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/i.test(text)) throw new InvalidArgumentError('That is no name of a group.');
  return [...before, text];
}
