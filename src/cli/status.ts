import type { Command } from 'commander';
import { chooseProfile, type Profile } from '../client/profiles.ts';
import { askRelayStatus, type RelayStatus } from '../client/relay-status.ts';
import { PosternError } from '../lib/errors.ts';
import { packageVersion } from '../lib/version.ts';
import { type DataOptions, dataOptions } from './at-relay.ts';
import { printOne } from './output.ts';
import { facts, timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addStatusCommand(program: Command): void {
  dataOptions(program.command('status'))
    .summary('whether the relay answers and the sign-in holds')
    .description(
      'Whether the relay answers and the sign-in holds, and what to do if not. Exit code 4: sign in; 6: the relay cannot be reached.',
    )
    .action(async ({ output, ...at }: DataOptions) => {
      const profile = chooseProfile(at);
      if (!profile)
        throw new PosternError('unauthenticated', `There is no profile yet. Run: postern login ${at.relay ?? 'URL'}`);
      const status = await askRelayStatus(profile, stopSignal());
      printOne(statusRecord(profile, status), output, () => statusFacts(profile, status));
      const newer = status.me?.relay?.version;
      if (newer !== undefined && newer !== packageVersion())
        process.stderr.write(`Relay and command line are not of the same version: install ${newer} here.\n`);
      if (status.problem) throw status.problem;
    });
}

/** Times are epoch ms. */
function statusRecord({ name, relay }: Profile, { answeredInMs, me, problem }: RelayStatus): object {
  return {
    profile: name,
    relay,
    reachable: answeredInMs !== undefined,
    answeredInMs: answeredInMs === undefined ? null : Math.round(answeredInMs),
    signedIn: me !== undefined,
    person: me === undefined ? null : personOf(me),
    expiresAt: me?.session.expiresAt ?? null,
    version: packageVersion(),
    relayVersion: me?.relay?.version ?? null,
    problem: problem ? { code: problem.code, message: problem.message } : null,
  };
}

function statusFacts({ name, relay }: Profile, { answeredInMs, me, problem }: RelayStatus): string {
  const known = me === undefined ? 'not known' : (me.relay?.version ?? 'an earlier one');
  return facts([
    ['Profile', name],
    ['Relay', relay],
    ['Answers', answeredInMs === undefined ? 'no' : `yes, in ${answeredInMs.toFixed(0)} ms`],
    ['Signed in', signedIn(me, problem)],
    ['Version', `${packageVersion()} here, ${known} at the relay`],
  ]);
}

function signedIn(me: RelayStatus['me'], problem: RelayStatus['problem']): string {
  if (me) return `as ${personOf(me)}, until ${timeOf(me.session.expiresAt)}`;
  return problem?.code === 'unauthenticated' ? 'no' : 'not known';
}

function personOf({ person }: NonNullable<RelayStatus['me']>): string {
  return person.email ?? person.name ?? person.subject;
}
