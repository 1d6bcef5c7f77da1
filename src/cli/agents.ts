import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  createEnrollmentToken,
  drainAgent,
  listAgents,
  listEnrollmentTokens,
  revokeAgent,
  revokeEnrollmentToken,
} from '../client/agents.ts';
import { loadCredential } from '../client/credentials.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { agentDetails, agentTable, tokenTable } from './agents-text.ts';
import { parseRelayOrigin } from './relay-origin.ts';
import { stopSignal } from './until-signal.ts';

interface AtRelay {
  relay?: string;
}
interface Listing extends AtRelay {
  json?: true;
}

export function addAgentsCommand(program: Command): void {
  const agents = program
    .command('agents')
    .summary('enroll, watch and revoke agents')
    .description('What admins do about agents. The agent itself runs with: postern agent');

  listing(agents.command('ls'))
    .description('All agents: whether they are enrolled and connected, and what they serve.')
    .action(async ({ json, relay }: Listing) => {
      const found = await listAgents(loadCredential(relay), stopSignal());
      process.stdout.write(json ? `${JSON.stringify(found)}\n` : agentTable(found));
    });

  listing(agents.command('show'))
    .description('One agent with its tunnels and the state of its targets.')
    .argument('<name>', 'the agent')
    .action(async (name: string, { json, relay }: Listing) => {
      const found = (await listAgents(loadCredential(relay), stopSignal())).find((agent) => agent.name === name);
      if (!found) throw new PosternError('not_found', `There is no agent ${name}. See: postern agents ls`);
      process.stdout.write(json ? `${JSON.stringify(found)}\n` : agentDetails(found));
    });

  relayOption(agents.command('revoke'))
    .description('Ends the authority of an agent and closes its tunnels now.')
    .argument('<name>', 'the agent')
    .action(async (name: string, options: AtRelay) => {
      await revokeAgent(loadCredential(options.relay), name, stopSignal());
      process.stderr.write(`${name} is revoked. To let it back in, enroll it again with a new token.\n`);
    });

  relayOption(agents.command('drain'))
    .description('Gives an agent no new streams, on any relay; what is open goes on.')
    .argument('<name>', 'the agent')
    .option('--undo', 'give it new streams again')
    .action(async (name: string, { undo, relay }: AtRelay & { undo?: true }) => {
      await drainAgent(loadCredential(relay), name, !undo, stopSignal());
      process.stderr.write(
        undo
          ? `${name} gets streams again.\n`
          : `${name} gets no new streams. Undo: postern agents drain ${name} --undo\n`,
      );
    });

  addTokenCommands(agents);
}

function addTokenCommands(agents: Command): void {
  const token = agents.command('token').description('Tokens with which an agent enrolls.');
  relayOption(token.command('create'))
    .description('Makes a token that enrolls one agent, once, and writes it to a file that only you can read.')
    .argument('<name>', 'the agent, as postern.yaml names it')
    .requiredOption('--out <file>', 'where the token goes; the file must not exist yet')
    .option('--may-announce <names...>', 'names it may bring beyond postern.yaml, such as preview-*', [])
    .action(async (name: string, options: AtRelay & { out: string; mayAnnounce: string[] }) => {
      const { relay, mayAnnounce, out } = options;
      const answer = await createEnrollmentToken(loadCredential(relay), name, mayAnnounce, stopSignal());
      writeNew(out, `${answer.token}\n`);
      const until = new Date(answer.expiresAt).toISOString();
      process.stderr.write(`${out} enrolls ${name}, once, until ${until}. Move it to the agent's machine.\n`);
    });

  listing(token.command('ls'))
    .description('Tokens that can still be redeemed. Their ids are not secret.')
    .action(async ({ json, relay }: Listing) => {
      const found = await listEnrollmentTokens(loadCredential(relay), stopSignal());
      process.stdout.write(json ? `${JSON.stringify(found)}\n` : tokenTable(found));
    });

  relayOption(token.command('revoke'))
    .description('Withdraws a token before it was used.')
    .argument('<id>', 'its id, as `postern agents token ls` shows it')
    .action(async (id: string, { relay }: AtRelay) => {
      await revokeEnrollmentToken(loadCredential(relay), id, stopSignal());
      process.stderr.write(`The token ${id} is of no use any more.\n`);
    });
}

function listing(command: Command): Command {
  return relayOption(command).option('--json', 'every field, as JSON');
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
