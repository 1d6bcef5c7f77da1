import type { Command } from 'commander';
import { type LogoutOptions, logout } from '../client/logout.ts';
import { chooseProfile, listProfiles, type Profile } from '../client/profiles.ts';
import { timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

interface Options {
  profile?: string;
  all?: true;
  everywhere?: boolean;
}

export function addLogoutCommand(program: Command): void {
  program
    .command('logout')
    .summary('sign this command line out')
    .description(
      'Ends the sign-in of this command line at the relay, with every token and connection that came from it, and forgets it here. The browser stays signed in, unless you say --everywhere.',
    )
    .option('--profile <name>', 'which one (default: POSTERN_PROFILE, else what `postern use` chose)')
    .option('--all', 'every profile')
    .option('--everywhere', 'also the browser where you agreed, its apps, and its other command lines')
    .action(async ({ profile, all, everywhere = false }: Options) => {
      const one = all ? undefined : chooseProfile(profile === undefined ? {} : { profile });
      const profiles = all ? listProfiles() : one ? [one] : [];
      const signedIn = profiles.filter(({ credential }) => credential);
      if (signedIn.length === 0) process.stderr.write('Nobody was signed in.\n');
      const how = { signal: stopSignal(), everywhere };
      const failures: unknown[] = [];
      for (const each of signedIn) await signOut(each, how).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    });
}

/** Says what has become of it. Rejects where the relay was not told. */
async function signOut(profile: Profile, options: LogoutOptions): Promise<void> {
  const { relay, credential } = profile;
  const person = credential?.person ?? profile.name;
  try {
    const how = await logout(profile, options);
    process.stderr.write(
      how === 'ended'
        ? `${person} is signed out of ${relay}${options.everywhere ? ', in the browser too' : ''}.\n`
        : `${person} is forgotten here. The token of a service goes on: postern services token revoke ends it.\n`,
    );
  } catch (error) {
    const until = timeOf(credential?.expiresAt ?? null);
    process.stderr.write(
      `The sign-in at ${relay} is forgotten here, but the relay does not know: it takes the token until ${until}, or until you sign out in the browser.\n`,
    );
    throw error;
  }
}
