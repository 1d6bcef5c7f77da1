import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import { issueResourceToken } from '../client/resource-token.ts';
import { findResource } from '../client/resources.ts';
import { relayOptions } from './at-relay.ts';
import { type OutputOptions, outputOption, printOne } from './output.ts';
import { stopSignal } from './until-signal.ts';

export function addTokenCommand(program: Command): void {
  outputOption(relayOptions(program.command('token')))
    .summary('a token for one resource')
    .description(
      'Prints a token with which a program acts as you at one http resource, until your sign-in ends. It goes into the header Postern-Token.',
    )
    .argument('<resource>', 'its name, as `postern ls` shows it')
    .action(async (name: string, { output, ...at }: AtRelay & OutputOptions) => {
      const credential = loadCredential(at);
      const signal = stopSignal();
      const resource = await findResource(credential, name, signal);
      const { token, expiresAt, audience } = await issueResourceToken(credential, resource, signal);
      const text = token.reveal();
      printOne({ resource: name, token: text, expiresAt, audience }, output, () => `${text}\n`);
    });
}
