import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { createEnrollmentToken, revokeAgent } from '../client/agents.ts';
import { loadCredential } from '../client/credentials.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { stopSignal } from './until-signal.ts';

interface AtRelay {
  relay?: string;
}

export function addAgentsCommand(program: Command): void {
  const agents = program
    .command('agents')
    .summary('enroll and revoke agents')
    .description('What admins do about agents. The agent itself runs with: postern agent');

  const token = agents.command('token').description('Tokens with which an agent enrolls.');
  relayOption(token.command('create'))
    .description('Makes a token that enrolls one agent, once, and writes it to a file that only you can read.')
    .argument('<name>', 'the agent, as postern.yaml names it')
    .requiredOption('--out <file>', 'where the token goes; the file must not exist yet')
    .action(async (name: string, options: AtRelay & { out: string }) => {
      const answer = await createEnrollmentToken(loadCredential(options.relay), name, stopSignal());
      writeNew(options.out, `${answer.token}\n`);
      const until = new Date(answer.expiresAt).toISOString();
      process.stderr.write(`${options.out} enrolls ${name}, once, until ${until}. Move it to the agent's machine.\n`);
    });

  relayOption(agents.command('revoke'))
    .description('Ends the authority of an agent and closes its tunnels now.')
    .argument('<name>', 'the agent, as postern.yaml names it')
    .action(async (name: string, options: AtRelay) => {
      await revokeAgent(loadCredential(options.relay), name, stopSignal());
      process.stderr.write(`${name} is revoked. To let it back in, enroll it again with a new token.\n`);
    });
}

function relayOption(command: Command): Command {
  return command.option('--relay <url>', 'the relay, if not the one you signed in at last', parseRelayOrigin);
}

/** Never over a file that is there: it may be a token somebody waits for. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new PosternError('request_invalid', `The token could not be written to ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
