import type { Command } from 'commander';
import { openBrowser } from '../client/browser.ts';
import { saveCredential } from '../client/credentials.ts';
import { login } from '../client/login.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { stopSignal } from './until-signal.ts';

export function addLoginCommand(program: Command): void {
  program
    .command('login')
    .summary('sign this command line in at a relay')
    .description('Signs this command line in at a relay, through your browser on this machine.')
    .argument('<url>', 'the address of the relay', parseRelayOrigin)
    .option('--no-browser', 'only print the address to open')
    .action(async (relay: string, options: { browser: boolean }) => {
      const credential = await login({
        relay,
        signal: stopSignal(),
        visit: (url) => {
          const opened = options.browser && openBrowser(url);
          const what = opened ? 'Your browser should open. If it does not, open this address' : 'Open this address';
          process.stderr.write(`${what} in a browser on this machine:\n\n  ${url}\n\n`);
        },
      });
      const path = saveCredential(credential);
      const until = new Date(credential.expiresAt).toISOString();
      process.stderr.write(`Signed in at ${relay} as ${credential.person}, until ${until}. Kept in ${path}.\n`);
    });
}
