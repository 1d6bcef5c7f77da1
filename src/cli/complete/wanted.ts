import type { Argument, Command, Option } from 'commander';

/** What may stand where the cursor is. */
export interface Wanted {
  /** Subcommands, options or fixed choices, each with what it is for. */
  readonly words: readonly { readonly word: string; readonly about: string }[];
  /** Names that only the relay or this machine's files know; undefined: nothing, or a file. */
  readonly names: { readonly of: NameKind; readonly protocols?: readonly string[] } | undefined;
  /** The profile that the words before have chosen. */
  readonly profile: string | undefined;
}

export type NameKind = 'resource' | 'agent' | 'profile';

/** Reads the words before the cursor as the command line would, and says what fits next. Nothing runs. */
export function wantedAfter(program: Command, before: readonly string[], current: string): Wanted {
  let command = program;
  let argument = 0;
  let awaiting: Option | undefined;
  let profile: string | undefined;
  for (const word of before) {
    if (awaiting) {
      if (awaiting.long === '--profile') profile = word;
      awaiting = undefined;
      continue;
    }
    if (word.startsWith('-') && word !== '-') {
      const [name = '', value] = word.split(/=(.*)/s);
      const option = optionOf(command, name);
      if (option?.long === '--profile' && value !== undefined) profile = value;
      if (option && takesValue(option) && value === undefined) awaiting = option;
      continue;
    }
    const sub = argument === 0 ? subcommands(command).find((each) => each.name() === word) : undefined;
    if (sub) command = sub;
    else argument += 1;
  }
  if (awaiting) return { ...valuesOf(awaiting), profile };
  if (current.startsWith('-')) return { words: optionWords(command), names: undefined, profile };
  const known = command.registeredArguments;
  const next = known[argument] ?? known.findLast(({ variadic }) => variadic);
  const commands = argument === 0 ? subcommands(command) : [];
  return {
    words: [
      ...commands.map((each) => ({ word: each.name(), about: each.summary() || each.description() })),
      ...choices(next),
    ],
    names: next && namesFor(next.name(), command.name()),
    profile,
  };
}

function valuesOf(option: Option): Pick<Wanted, 'words' | 'names'> {
  const isProfile = option.long === '--profile';
  return { words: choices(option), names: isProfile ? { of: 'profile' } : undefined };
}

function optionOf(command: Command, text: string): Option | undefined {
  return command.options.find(({ long, short }) => long === text || short === text);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function subcommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}

function optionWords(command: Command): Wanted['words'] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.flatMap(({ long, description }) => (long ? [{ word: long, about: description }] : []));
}

function choices({ argChoices = [] }: Pick<Argument | Option, 'argChoices'> = {}): Wanted['words'] {
  return argChoices.map((word) => ({ word, about: '' }));
}

/** Arguments are called after what they name. */
function namesFor(argument: string, command: string): Wanted['names'] {
  switch (argument) {
    case 'resource':
      return command === 'token' ? { of: 'resource', protocols: ['http'] } : { of: 'resource' };
    case 'destination':
      return { of: 'resource', protocols: ['ssh'] };
    case 'agent':
    case 'profile':
      return { of: argument };
    default:
      return undefined;
  }
}
