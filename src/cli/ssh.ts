import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import { sshArguments } from '../client/ssh/arguments.ts';
import { requireProfile } from '../client/tunnel/of-person.ts';
import { relayOptions } from './at-relay.ts';
import { runProgram } from './program-ended.ts';
import { signInGate } from './sign-in-again.ts';
import { thisProgram } from './this-program.ts';

const EXAMPLES = `
Examples:
  postern ssh build01
  postern ssh alice@build01 -L 8080:localhost:8080
  postern ssh build01 -- uptime`;

export function addSshCommand(program: Command): void {
  // Options behind the destination are for ssh.
  program.enablePositionalOptions();
  relayOptions(program.command('ssh'))
    .summary('a shell on a server behind the relay')
    .description(
      "Runs this machine's ssh so that it reaches a resource. The connection is decided, and recorded as yours; who you are on the server is for ssh, with its keys. Ends with the exit code of ssh.",
    )
    .argument('<destination>', '[user@]resource, with a name from: postern ls')
    .argument('[arguments...]', 'options of ssh, and the command to run there')
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('Options of ssh stand behind the name: postern ssh build01 -v')
    .action(async (destination: string, rest: string[], at: AtRelay) => {
      const profile = requireProfile(at);
      const { relay, name } = profile;
      // ssh would end with 255 and words of its own. Ctrl-C is ssh's from here on, so nothing of ours may listen to it.
      const never = new AbortController().signal;
      await signInGate(profile, never).pass(() => loadCredential({ profile: name }));
      await runProgram('ssh', sshArguments({ destination, rest, relay, profile: name, program: thisProgram() }));
    });
}
