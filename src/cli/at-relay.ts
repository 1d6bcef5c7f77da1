import type { Command } from 'commander';
import type { AtRelay } from '../client/profiles.ts';
import { type OutputOptions, outputOption } from './output.ts';
import { parseRelayOrigin } from './relay-origin.ts';

/** For commands that act as a person at a relay. */
export function relayOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'who, at which relay (default: POSTERN_PROFILE, else what `postern use` chose)')
    .option('--relay <url>', 'the relay, if not that of the profile in use', parseRelayOrigin);
}

export interface DataOptions extends AtRelay, OutputOptions {}

/** For those of them that print data. */
export function dataOptions(command: Command): Command {
  return outputOption(relayOptions(command));
}
