import type { Command } from 'commander';
import { chooseProfile, currentProfile, listProfiles, useProfile } from '../client/profiles.ts';
import { type OutputOptions, outputOption, printList } from './output.ts';
import { table, timeOf } from './table.ts';

export function addUseCommand(program: Command): void {
  outputOption(program.command('use'))
    .summary('choose among several relays and people')
    .description('Chooses the profile that commands use when nothing else is said; without a name, lists them.')
    .argument('[profile]', 'a name from the list')
    .action((name: string | undefined, { output }: OutputOptions) => {
      if (name !== undefined) {
        const { relay, credential } = useProfile(name);
        const who = credential ? ` as ${credential.person}` : '';
        process.stderr.write(`Commands now use ${name}: ${relay}${who}.\n`);
        noteVariable(name);
        return;
      }
      const profiles = profileRecords();
      printList(profiles, output, () => profileTable(profiles), 'There is no profile yet. Make one: postern login URL');
    });
}

/** Times are epoch ms. */
interface ProfileRecord {
  readonly name: string;
  readonly relay: string;
  readonly person: string | null;
  readonly expiresAt: number | null;
  readonly current: boolean;
}

function profileRecords(): ProfileRecord[] {
  const current = (process.env['POSTERN_PROFILE'] ? chooseProfile({}) : currentProfile())?.name;
  return listProfiles().map(({ name, relay, credential }) => ({
    name,
    relay,
    person: credential?.person ?? null,
    expiresAt: credential?.expiresAt ?? null,
    current: name === current,
  }));
}

function profileTable(profiles: readonly ProfileRecord[], now = Date.now()): string {
  return table(
    ['PROFILE', 'IN USE', 'RELAY', 'SIGNED IN AS', 'UNTIL'],
    profiles.map(({ name, relay, person, expiresAt, current }) => {
      const over = expiresAt !== null && expiresAt <= now;
      return [name, current ? 'yes' : '', relay, person ?? '-', over ? 'expired' : timeOf(expiresAt)];
    }),
  );
}

/** It has the last word. */
function noteVariable(chosen: string): void {
  const named = process.env['POSTERN_PROFILE'];
  if (named && named !== chosen)
    process.stderr.write(`But POSTERN_PROFILE says ${named} in this terminal, and that goes first.\n`);
}
