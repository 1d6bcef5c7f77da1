import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import {
  createEnrollmentToken,
  drainAgent,
  listAgents,
  listEnrollmentTokens,
  revokeAgent,
  revokeEnrollmentToken,
} from '../client/agents.ts';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import { enrollmentTokenFileText } from '../config/enrollment-token.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { agentDetails, agentTable, tokenTable } from './agents-text.ts';
import { type DataOptions, dataOptions, relayOptions } from './at-relay.ts';
import { printList, printOne } from './output.ts';
import { timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addAgentsCommand(program: Command): void {
  const agents = program
    .command('agents')
    .summary('enroll, watch and revoke agents')
    .description('What admins do about agents. The agent itself runs with: postern agent');

  dataOptions(agents.command('ls'))
    .description('All agents: whether they are enrolled and connected, and what they serve.')
    .action(async ({ output, ...at }: DataOptions) => {
      const found = await listAgents(loadCredential(at), stopSignal());
      printList(found, output, () => agentTable(found));
    });

  dataOptions(agents.command('show'))
    .description('One agent with its tunnels and the state of its targets.')
    .argument('<agent>', 'its name')
    .action(async (name: string, { output, ...at }: DataOptions) => {
      const found = (await listAgents(loadCredential(at), stopSignal())).find((agent) => agent.name === name);
      if (!found) throw new PosternError('not_found', `There is no agent ${name}. See: postern agents ls`);
      printOne(found, output, () => agentDetails(found));
    });

  relayOptions(agents.command('revoke'))
    .description('Ends the authority of an agent and closes its tunnels now.')
    .argument('<agent>', 'its name')
    .action(async (name: string, at: AtRelay) => {
      await revokeAgent(loadCredential(at), name, stopSignal());
      process.stderr.write(`${name} is revoked. To let it back in, enroll it again with a new token.\n`);
    });

  relayOptions(agents.command('drain'))
    .description('Gives an agent no new streams, on any relay; what is open goes on.')
    .argument('<agent>', 'its name')
    .option('--undo', 'give it new streams again')
    .action(async (name: string, { undo, ...at }: AtRelay & { undo?: true }) => {
      await drainAgent(loadCredential(at), name, !undo, stopSignal());
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
  relayOptions(token.command('create'))
    .description('Makes a token that enrolls one agent, once, and writes it to a file that only you can read.')
    .argument('<agent>', 'its name, as postern.yaml has it')
    .requiredOption('--out <file>', 'where the token goes; the file must not exist yet')
    .option(
      '--may-announce <names...>',
      'names it may bring beyond postern.yaml, such as preview-*, or with ports lab-*:5000-5999',
      [],
    )
    .action(async (name: string, options: AtRelay & { out: string; mayAnnounce: string[] }) => {
      const { mayAnnounce, out, ...at } = options;
      using file = newFile(out);
      const answer = await createEnrollmentToken(loadCredential(at), name, mayAnnounce, stopSignal());
      file.write(enrollmentTokenFileText(answer.token, name));
      const until = timeOf(answer.expiresAt);
      process.stderr.write(`${out} enrolls ${name}, once, until ${until}. Move it to the agent's machine.\n`);
    });

  dataOptions(token.command('ls'))
    .description('Tokens that can still be redeemed. Their ids are not secret.')
    .action(async ({ output, ...at }: DataOptions) => {
      const found = await listEnrollmentTokens(loadCredential(at), stopSignal());
      printList(found, output, () => tokenTable(found));
    });

  relayOptions(token.command('revoke'))
    .description('Withdraws a token before it was used.')
    .argument('<id>', 'its id, as `postern agents token ls` shows it', parseTokenId)
    .action(async (id: string, at: AtRelay) => {
      await revokeEnrollmentToken(loadCredential(at), id, stopSignal());
      process.stderr.write(`The token ${id} is of no use any more.\n`);
    });
}

function parseTokenId(text: string): string {
  if (/^[0-9a-f-]{1,36}$/.test(text)) return text;
  throw new InvalidArgumentError('An id looks like 1b69b1df8c039ba6.');
}

/**
 * Never over a file that is there: it may be a token somebody waits for. Made before the token is, so that none is made which
 * nobody gets; gone again where nothing was written.
 */
function newFile(path: string): Disposable & { write(text: string): void } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'wx', 0o600);
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'EEXIST'
        ? 'a file of that name exists. Remove it, or name another with --out'
        : messageOf(cause);
    throw new PosternError('request_invalid', `The token cannot be written to ${path}: ${why}.`, { cause });
  }
  let isWritten = false;
  return {
    write(text) {
      writeFileSync(descriptor, text);
      isWritten = true;
    },
    [Symbol.dispose]() {
      closeSync(descriptor);
      if (!isWritten) rmSync(path, { force: true });
    },
  };
}
