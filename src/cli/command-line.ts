import { Command, CommanderError } from 'commander';
import { hasCode, messageOf, PosternError } from '../lib/errors.ts';
import { printableLines } from '../lib/printable.ts';
import { packageVersion } from '../lib/version.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { ProgramEnded } from './program-ended.ts';
import { signalExitCode } from './until-signal.ts';

/**
 * Runs one command line (without `node` and the program) to its end and returns the exit code: one of EXIT, that of a
 * program that it ran for the person, or that of the signal which stopped it.
 * Data goes to stdout, everything else to stderr.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    if (args[0] === '__complete') return await answerCompletion(args.slice(1));
    const [word, ...rest] = args.filter((arg) => !arg.startsWith('-'));
    const program = await programFor(word === 'help' ? rest[0] : word);
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof ProgramEnded) return error.exitCode;
    process.stderr.write(`${printableLines(explain(error))}\n`);
    return (hasCode(error, 'aborted') ? signalExitCode() : undefined) ?? exitCodeOf(error);
  }
}

/** What the shell asks at each Tab; a failure must not show between the words that somebody types. */
async function answerCompletion(words: readonly string[]): Promise<number> {
  try {
    const { complete } = await import('./complete/complete.ts');
    await complete(words, programFor);
  } catch {
    return EXIT.failure;
  }
  return EXIT.ok;
}

type AddCommand = (program: Command) => void;

/** Only the command that runs is loaded: an agent must start without the relay's packages. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<AddCommand> }>> = {
  relay: {
    summary: 'run the relay that people and agents connect to',
    load: async () => (await import('./relay.ts')).addRelayCommand,
  },
  agent: {
    summary: 'run the agent beside private services',
    load: async () => (await import('./agent.ts')).addAgentCommand,
  },
  config: {
    summary: 'begin, check and explain configuration files',
    load: async () => (await import('./config.ts')).addConfigCommand,
  },
  login: {
    summary: 'sign this command line in at a relay',
    load: async () => (await import('./login.ts')).addLoginCommand,
  },
  logout: {
    summary: 'sign this command line out',
    load: async () => (await import('./logout.ts')).addLogoutCommand,
  },
  use: {
    summary: 'choose among several relays and people',
    load: async () => (await import('./use.ts')).addUseCommand,
  },
  whoami: {
    summary: 'as whom this command line acts',
    load: async () => (await import('./whoami.ts')).addWhoamiCommand,
  },
  ls: {
    summary: 'what I may reach, and how',
    load: async () => (await import('./ls.ts')).addLsCommand,
  },
  status: {
    summary: 'whether the relay answers and the sign-in holds',
    load: async () => (await import('./status.ts')).addStatusCommand,
  },
  curl: {
    summary: 'curl, as you, at one web app',
    load: async () => (await import('./curl.ts')).addCurlCommand,
  },
  token: {
    summary: 'a token for one resource',
    load: async () => (await import('./token.ts')).addTokenCommand,
  },
  connect: {
    summary: 'reach a resource from programs on this machine',
    load: async () => (await import('./connect.ts')).addConnectCommand,
  },
  up: {
    summary: 'hold a local port for each of my TCP and SSH resources',
    load: async () => (await import('./up.ts')).addUpCommand,
  },
  ssh: {
    summary: 'a shell on a server behind the relay',
    load: async () => (await import('./ssh.ts')).addSshCommand,
  },
  'ssh-config': {
    summary: 'let plain ssh, scp, rsync, git and editors reach servers behind the relay',
    load: async () => (await import('./ssh-config.ts')).addSshConfigCommand,
  },
  lease: {
    summary: 'a port of the relay for a program that cannot run postern',
    load: async () => (await import('./lease.ts')).addLeaseCommand,
  },
  proxy: {
    summary: 'a SOCKS or HTTP proxy into networks behind the relay',
    load: async () => (await import('./proxy.ts')).addProxyCommand,
  },
  completion: {
    summary: 'let the shell complete commands, options and names',
    load: async () => (await import('./completion.ts')).addCompletionCommand,
  },
  audit: {
    summary: 'search and verify the audit log',
    load: async () => (await import('./audit.ts')).addAuditCommand,
  },
  agents: {
    summary: 'enroll and revoke agents',
    load: async () => (await import('./agents.ts')).addAgentsCommand,
  },
  services: {
    summary: 'programs with an identity of their own',
    load: async () => (await import('./services.ts')).addServicesCommand,
  },
  service: {
    summary: 'run the agent or the relay under systemd',
    load: async () => (await import('./systemd.ts')).addServiceCommand,
  },
  admin: {
    summary: "what only the relay's machine may do",
    load: async () => (await import('./admin.ts')).addAdminCommand,
  },
};

/** What admins, auditors and those who run the machines need. */
const FOR_OPERATORS: ReadonlySet<string> = new Set([
  'admin',
  'agent',
  'agents',
  'audit',
  'config',
  'relay',
  'service',
  'services',
]);

/** The program with all commands by name, and the one of them that is needed in full. */
export async function programFor(word: string | undefined): Promise<Command> {
  const program = new Command('postern')
    .description('Identity-aware access to private apps, through tunnels that open from inside.')
    .version(packageVersion(), '--version')
    .exitOverride()
    .showHelpAfterError('Run it with --help to see what it takes.');
  const operators = Object.entries(COMMANDS).filter(([name]) => FOR_OPERATORS.has(name));
  const people = Object.entries(COMMANDS).filter(([name]) => !FOR_OPERATORS.has(name));
  for (const [name, { summary, load }] of [...people, ...operators]) {
    if (name === word) (await load())(program);
    else program.command(name).summary(summary).description(summary);
    program.commands.at(-1)?.helpGroup(FOR_OPERATORS.has(name) ? 'For operators:' : 'For people:');
  }
  return program;
}

function explain(error: unknown): string {
  if (error instanceof PosternError) return error.message;
  const trace = error instanceof Error && process.env['POSTERN_DEBUG'] ? `\n${error.stack}` : '';
  return `${messageOf(error)}${trace}\nThis is not an error that Postern expected. POSTERN_DEBUG=1 shows where it came from; please report it with that.`;
}
