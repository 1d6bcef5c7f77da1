import type { Command } from 'commander';
import { openBrowser } from '../client/browser.ts';
import { type Credential, saveCredential } from '../client/credentials.ts';
import { loginByDevice, type ShownCode } from '../client/device-login.ts';
import { findRelay } from '../client/find-relay.ts';
import { login } from '../client/login.ts';
import { type AtRelay, chooseProfile, currentProfile, profileNameFor } from '../client/profiles.ts';
import { loginByToken } from '../client/token-login.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

interface LoginOptions {
  browser: boolean;
  device?: true;
  profile?: string;
  tokenFile?: string;
}

export function addLoginCommand(program: Command): void {
  const command = program
    .command('login')
    .summary('sign this command line in at a relay')
    .description('Signs this command line in at a relay, through your browser on this machine.')
    .argument('[url]', 'the address of the relay (default: that of the profile)', parseRelayOrigin)
    .option('--profile <name>', 'keep this sign-in under a name, beside others (default: the host of the relay)')
    .option('--no-browser', 'only print the address to open')
    .option('--device', 'there is no browser on this machine: show a code to type on another')
    .option('--token-file <file>', 'a program: keep the token of a service, which this file holds')
    .action(async (url: string | undefined, { profile, ...how }: LoginOptions) => {
      const at: AtRelay = { ...(profile === undefined ? {} : { profile }) };
      const relay = url ?? chooseProfile(at)?.relay;
      if (relay === undefined)
        return command.error('error: say at which relay: postern login https://access.example.com');
      const name = profileNameFor(relay, at);
      const signal = stopSignal();
      await findRelay(relay, signal);
      const credential = await signIn(relay, how, signal);
      const byName = profile !== undefined || Boolean(process.env['POSTERN_PROFILE']);
      const path = saveCredential({ ...credential, profile: name }, process.env, { current: !byName });
      const until = timeOf(credential.expiresAt);
      process.stderr.write(`Signed in at ${relay} as ${credential.person}, until ${until}. Kept in ${path}.\n`);
      if (currentProfile()?.name !== name)
        process.stderr.write(`Use it with --profile ${name}, or from now on: postern use ${name}\n`);
    });
}

function signIn(relay: string, how: Omit<LoginOptions, 'profile'>, signal: AbortSignal): Promise<Credential> {
  if (how.tokenFile !== undefined) return loginByToken(relay, how.tokenFile, signal);
  if (how.device) return loginByDevice({ relay, signal, show: showCode });
  return login({ relay, signal, visit: (address) => visit(address, how.browser) });
}

function visit(address: string, browser: boolean): void {
  const opened = browser && openBrowser(address);
  const what = opened ? 'Your browser should open. If it does not, open this address' : 'Open this address';
  process.stderr.write(`${what} in a browser on this machine:\n\n  ${address}\n\n`);
}

function showCode({ address, whole, code }: ShownCode): void {
  process.stderr.write(`Open this address in a browser on any machine:\n\n  ${address}\n\n`);
  process.stderr.write(`and type this code there:\n\n  ${code}\n\n(or open ${whole})\n`);
}
