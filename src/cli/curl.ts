import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import { readCurlArguments } from '../client/curl/curl-arguments.ts';
import { planCurl } from '../client/curl/curl-plan.ts';
import { askCurl } from '../client/curl/curl-program.ts';
import { secretFile } from '../client/curl/secret-file.ts';
import type { AtRelay } from '../client/profiles.ts';
import { issueTokenFor } from '../client/resource-token.ts';
import { relayOptions } from './at-relay.ts';
import { runProgram } from './program-ended.ts';

/** Where the child finds the first descriptor after the standard ones. */
const CONFIG = '/dev/fd/3';
/** For curl itself to find the address and connect, not for the transfer. */
const ASK_MS = 30_000;

export function addCurlCommand(program: Command): void {
  program.enablePositionalOptions();
  relayOptions(program.command('curl'))
    .summary('curl, as you, at one web app')
    .description(
      "Runs this machine's curl with your identity for one web app. The token goes to that app only, on no command line and into no file; ~/.curlrc is not read. Ends as curl does.",
    )
    .usage('[options] [curl options] <url...>')
    .argument('<arguments...>', 'as for curl')
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[], at: AtRelay) => {
      const curl = askCurl();
      const { origin, header } = planCurl(readCurlArguments(args, curl), curl.version);
      const { token } = await issueTokenFor(loadCredential(at), origin, AbortSignal.timeout(ASK_MS));
      const value = header === 'Authorization' ? `Bearer ${token.reveal()}` : token.reveal();
      using config = secretFile(`header = "${header}: ${value}"\n`);
      // -q must come first; it keeps away what ~/.curlrc may add.
      await runProgram('curl', ['-q', '--config', CONFIG, ...args], {
        stdio: ['inherit', 'inherit', 'inherit', config.descriptor],
      });
    });
}
