import type { Argument, Command, Option } from 'commander';
import { programFor } from '../../src/cli/command-line.ts';

/** Described once, at the top of the page. */
const SHARED: Readonly<Record<string, string>> = {
  '--profile': '--profile',
  '--relay': '--relay',
  '--output': '-o',
  '--json': '-o',
};

/** Markdown: each group, each command, each subcommand, with what it takes, as the program itself knows it. */
export async function commandReference(): Promise<string> {
  const { commands } = await programFor(undefined);
  const groups = Map.groupBy(commands, (command) => command.helpGroup());
  const parts: string[] = [];
  for (const [group, members] of groups) {
    parts.push(`## ${group.replace(/:$/, '')}\n`);
    for (const { name } of members.map((each) => ({ name: each.name() }))) {
      const loaded = (await programFor(name)).commands.find((command) => command.name() === name);
      if (loaded) parts.push(...sections(loaded));
    }
  }
  return parts.join('\n');
}

function sections(command: Command): string[] {
  const runs = command.commands.length === 0 || hasAction(command);
  const own = runs ? [section(command)] : [];
  return [...own, ...command.commands.flatMap((each) => sections(each))];
}

/** Commander keeps what a command does to itself; one that only has subcommands does nothing. */
function hasAction(command: Command): boolean {
  return '_actionHandler' in command && command._actionHandler !== null;
}

function section(command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const shared = new Set(options.flatMap((option) => (isShared(option) ? [SHARED[option.long ?? ''] ?? ''] : [])));
  const rows = [
    ...help.visibleArguments(command).map((argument) => row(nameOf(argument), help.argumentDescription(argument))),
    ...options.filter((option) => !isShared(option)).map((option) => row(option.flags, help.optionDescription(option))),
  ];
  return [
    `### \`${usage(command, help.commandUsage(command))}\`\n`,
    `${inline(help.commandDescription(command))}\n`,
    ...(rows.length === 0 ? [] : [`| it takes | |\n|---|---|\n${rows.join('\n')}\n`]),
    ...(shared.size === 0 ? [] : [`Also ${[...shared].map((name) => `\`${name}\``).join(', ')}.\n`]),
  ].join('\n');
}

/** Where a command says the opposite of what the others mean, it says so itself. */
function isShared({ long, description }: Option): boolean {
  return long === '--profile' || long === '--relay'
    ? /profile|POSTERN_PROFILE/.test(description)
    : long === '--output' || long === '--json';
}

function usage(command: Command, text: string): string {
  const isBare = command.options.every(isShared);
  return isBare ? text.replace(' [options]', '') : text;
}

function nameOf(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

function row(name: string, description: string): string {
  return `| \`${name}\` | ${inline(description).replaceAll('|', '\\|')} |`;
}

/** What looks like HTML outside of backquotes is text. */
function inline(text: string): string {
  return text
    .split('`')
    .map((part, at) => (at % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');
}
