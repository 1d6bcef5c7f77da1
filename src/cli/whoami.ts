import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import { fetchMe } from '../client/me.ts';
import { type DataOptions, dataOptions } from './at-relay.ts';
import { printOne } from './output.ts';
import { facts, timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addWhoamiCommand(program: Command): void {
  dataOptions(program.command('whoami'))
    .summary('as whom this command line acts')
    .description('As whom this command line acts, by the word of the relay.')
    .action(async ({ output, ...at }: DataOptions) => {
      const credential = loadCredential(at);
      const { person, roles, session } = await fetchMe(credential, stopSignal());
      const { relay, profile = null } = credential;
      const record = { ...person, roles, relay, profile, signedInAt: session.signedInAt, expiresAt: session.expiresAt };
      printOne(record, output, () =>
        facts([
          ['Person', person.email ?? person.name ?? person.subject],
          ['Name', person.name ?? '-'],
          ['Groups', person.groups?.join(', ') || '-'],
          ['Roles', roles.join(', ') || '-'],
          ['Relay', relay],
          ['Profile', profile ?? '-'],
          ['Until', timeOf(session.expiresAt)],
        ]),
      );
    });
}
