import type { Command } from 'commander';
import { parseRelayOrigin } from './relay-origin.ts';

/** For commands that act as a person at a relay. */
export function relayOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'who, at which relay (default: POSTERN_PROFILE, else what `postern use` chose)')
    .option('--relay <url>', 'the relay, if not that of the profile in use', parseRelayOrigin);
}
