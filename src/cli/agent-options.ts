import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { type AgentConfig, type AgentFileInput, agentConfigFrom, loadAgentConfig } from '../config/agent-config.ts';
import { parseEnrollmentTokenFile } from '../config/enrollment-token.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { LogLevel } from '../lib/log.ts';
import { UsageError } from './usage-error.ts';

type Targets = Readonly<Record<string, string>>;

export interface AgentOptions {
  config?: string;
  relay?: string;
  name?: string;
  enrollTokenFile?: string;
  stateDir?: string;
  heartbeat?: string;
  proxy?: string;
  proxyPasswordFile?: string;
  http?: Targets;
  tcp?: Targets;
  ssh?: Targets;
  unix?: Targets;
  logLevel: LogLevel;
}

/** Either a file, or the same in options. Secrets come from files: the words of a command line are for all to see. */
export function addAgentOptions(command: Command): Command {
  return command
    .option('--config <file>', 'agent.yaml; instead of the options below')
    .option('--relay <url>', 'the relay, such as https://access.example.com')
    .option('--name <name>', 'the name of this agent (default: that of the enrollment token)')
    .option('--enroll-token-file <file>', 'the single-use enrollment token')
    .option('--state-dir <directory>', 'key pair and pinned keys of the relay (default: ./agent)')
    .option('--heartbeat <duration>', 'how often the tunnel is tried (default: 15s)')
    .option('--proxy <url>', 'an HTTP proxy on the way out: http://user@proxy:3128 (default: HTTPS_PROXY)')
    .option('--proxy-password-file <file>', 'the password of its user')
    .option(
      '--http <[resource=]host:port>',
      'a web app to serve, under a generated name if it has none; also with http:// or https:// (repeatable)',
      target(httpUrl, true),
    )
    .option('--tcp <resource=host:port>', 'a TCP service to serve (repeatable)', target(asItIs))
    .option(
      '--ssh <resource=host:port>',
      'an SSH server to serve; port 22 may be left out (repeatable)',
      target(sshUrl),
    )
    .option(
      '--unix <resource=path>',
      'a Unix socket to serve (repeatable)',
      target((path) => `unix:${path}`),
    )
    .option('--log-level <level>', 'debug, info, warn or error', 'info');
}

/** Throws UsageError, and `config_invalid` with every problem of what was given, each at its place. */
export function agentConfigOf(options: AgentOptions): AgentConfig {
  const { config, relay, http, tcp, ssh, unix } = options;
  const name = nameOf(options);
  const targets = [http, tcp, ssh, unix]
    .flatMap((each) => Object.entries(each ?? {}))
    .map(([resource, where]) => [isUnnamed(resource) ? generatedName(name ?? '', where) : resource, where] as const);
  if (config !== undefined) {
    if (relay ?? options.name ?? options.proxy ?? targets[0])
      throw new UsageError('Give either --config or the options it stands for, not both.');
    return loadAgentConfig(config);
  }
  if (relay === undefined || (name === undefined && options.enrollTokenFile === undefined))
    throw new UsageError(
      'Give --config agent.yaml, or at least --relay, --enroll-token-file and one target; --name where the file of the token does not say it.',
    );
  if (name === undefined)
    throw new UsageError(
      `${options.enrollTokenFile} is not there, cannot be read, or does not say which agent it enrolls. Give the agent's name as well: --name office`,
    );
  const twice = targets.find(([resource], at) => targets.findIndex(([other]) => other === resource) !== at);
  if (twice) throw new UsageError(`${twice[0]} is given two targets.`);
  const input: AgentFileInput = {
    relay,
    name,
    ...(options.enrollTokenFile === undefined ? {} : { enrollmentTokenFile: options.enrollTokenFile }),
    ...(options.stateDir === undefined ? {} : { stateDir: options.stateDir }),
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
    ...(options.proxy === undefined
      ? {}
      : {
          proxy: {
            url: options.proxy,
            ...(options.proxyPasswordFile === undefined ? {} : { passwordFile: options.proxyPasswordFile }),
          },
        }),
    targets: Object.fromEntries(targets),
  };
  return agentConfigFrom(input);
}

/** The names that were made for targets without one; they stay the same for the same agent and target. */
export function generatedNames(options: AgentOptions): readonly { name: string; target: string }[] {
  const name = nameOf(options) ?? '';
  return Object.entries(options.http ?? {}).flatMap(([resource, where]) =>
    isUnnamed(resource) ? [{ name: generatedName(name, where), target: where }] : [],
  );
}

/** An agent that is told no name is the one that its token enrolls. */
function nameOf({ name, enrollTokenFile }: AgentOptions): string | undefined {
  if (name !== undefined || enrollTokenFile === undefined) return name;
  try {
    return parseEnrollmentTokenFile(readFileSync(enrollTokenFile, 'utf8')).agent;
  } catch {
    return undefined;
  }
}

function isUnnamed(resource: string): boolean {
  return resource.startsWith('=');
}

function generatedName(agent: string, where: string): string {
  return `${agent.slice(0, 54)}-${sha256Hex(`${agent} ${where}`).slice(0, 8)}`;
}

function target(read: (text: string) => string, mayBeUnnamed = false) {
  return (text: string, before: Targets = {}): Targets => {
    if (mayBeUnnamed && !text.includes('=')) return { ...before, [`=${text}`]: read(text) };
    const [, resource, where] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (resource === undefined || where === undefined)
      throw new InvalidArgumentError('Write it like wiki=localhost:8080');
    if (Object.hasOwn(before, resource)) throw new InvalidArgumentError(`${resource} is given two targets.`);
    return { ...before, [resource]: read(where) };
  };
}

const httpUrl = (text: string) => (text.includes('://') ? text : `http://${text}`);
const asItIs = (text: string) => text;
const sshUrl = (text: string) => `ssh://${text}`;
