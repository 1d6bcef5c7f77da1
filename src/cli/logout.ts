import type { Command } from 'commander';
import { logout } from '../client/logout.ts';
import { chooseProfile, listProfiles } from '../client/profiles.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

interface LogoutOptions {
  profile?: string;
  all?: true;
}

export function addLogoutCommand(program: Command): void {
  program
    .command('logout')
    .summary('sign this command line out')
    .description(
      'Ends the sign-in of this command line at the relay, with every token and connection that came from it, and forgets it here. The browser stays signed in.',
    )
    .option('--profile <name>', 'which one (default: POSTERN_PROFILE, else what `postern use` chose)')
    .option('--all', 'every profile')
    .action(async ({ profile, all }: LogoutOptions) => {
      const one = all ? undefined : chooseProfile(profile === undefined ? {} : { profile });
      const profiles = all ? listProfiles() : one ? [one] : [];
      const signal = stopSignal();
      const failures: unknown[] = [];
      for (const each of profiles) {
        if (!each.credential) continue;
        try {
          await logout(each, signal);
          process.stderr.write(`${each.credential.person} is signed out of ${each.relay}.\n`);
        } catch (error) {
          failures.push(error);
          const until = timeOf(each.credential.expiresAt);
          process.stderr.write(
            `The sign-in at ${each.relay} is forgotten here, but the relay does not know, and would take its token until ${until}: ${messageOf(error)}\n`,
          );
        }
      }
      if (!profiles.some(({ credential }) => credential)) process.stderr.write('Nobody was signed in.\n');
      const [first] = failures;
      if (first instanceof PosternError) throw new PosternError(first.code, 'End it in the browser: sign out there.');
      if (first !== undefined) throw first;
    });
}
