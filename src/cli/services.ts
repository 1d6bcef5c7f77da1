import { type Command, InvalidArgumentError } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import {
  createService,
  createServiceToken,
  disableService,
  listServices,
  type NewToken,
  revokeServiceToken,
  rotateServiceToken,
} from '../client/services.ts';
import { parseDurationMs } from '../config/values.ts';
import { PosternError } from '../lib/errors.ts';
import { type DataOptions, dataOptions, relayOptions } from './at-relay.ts';
import { type OutputFormat, printList, printOne } from './output.ts';
import { parseId } from './parse-id.ts';
import { serviceTable, serviceTokenTable } from './services-text.ts';
import { timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addServicesCommand(program: Command): void {
  const services = program
    .command('services')
    .summary('programs with an identity of their own')
    .description('What admins and security people do about programs (CI, monitoring) and their tokens.');

  dataOptions(services.command('ls'))
    .description('All services: who answers for them, what their tokens reach, and which are not used.')
    .action(async ({ output, ...at }: DataOptions) => {
      const found = await listServices(loadCredential(at), stopSignal());
      printList(found, output, () => serviceTable(found));
    });

  relayOptions(services.command('create'))
    .description('Gives a program an identity. It reaches nothing until a rule says service:<name>.')
    .argument('<service>', 'its name: lower-case letters, digits and "-"')
    .option('--owner <who>', 'who answers for it (default: you)')
    .option('--description <words>', 'what it is for')
    .action(async (name: string, options: AtRelay & { owner?: string; description?: string }) => {
      const { owner, description, ...at } = options;
      const credential = loadCredential(at);
      const more = description === undefined ? {} : { description };
      await createService(credential, { name, owner: owner ?? credential.person, ...more }, stopSignal());
      process.stderr.write(
        `${name} exists. Name it in a rule as service:${name}, then: postern services token create ${name} --for RESOURCE\n`,
      );
    });

  relayOptions(services.command('disable'))
    .description('Ends all tokens of a service, cuts what they have open, and gives it no more.')
    .argument('<service>', 'its name')
    .option('--undo', 'let it have tokens again; the old ones stay of no use')
    .action(async (name: string, { undo, ...at }: AtRelay & { undo?: true }) => {
      await disableService(loadCredential(at), name, !undo, stopSignal());
      process.stderr.write(
        undo
          ? `${name} may have tokens again.\n`
          : `${name} is disabled. Undo: postern services disable ${name} --undo\n`,
      );
    });

  addTokenCommands(services);
}

function addTokenCommands(services: Command): void {
  const token = services.command('token').description('Tokens of services. Each is shown once.');

  dataOptions(token.command('create'))
    .description('Prints a new token of a service. Only this once: put it where the program keeps its secrets.')
    .argument('<service>', 'its name')
    .requiredOption('--for <resources...>', 'the resources that it reaches, as far as rules let the service')
    .option('--life <time>', 'how long it is good for, such as 12h or 90d; at most a year', parseLife, '90d')
    .option('--label <words>', 'where it will be used')
    .action(async (name: string, options: DataOptions & { for: string[]; life: string; label?: string }) => {
      const { for: scope, life, label, output, ...at } = options;
      const request = { scope, expiresAt: endOf(life), ...(label === undefined ? {} : { label }) };
      const issued = await createServiceToken(loadCredential(at), name, request, stopSignal());
      printToken(issued, output);
      process.stderr.write(`It is ${name} at ${scope.join(', ')}, until ${timeOf(issued.expiresAt)}.\n`);
    });

  dataOptions(token.command('ls'))
    .description('Live tokens of one service. Their ids are not secret.')
    .argument('<service>', 'its name')
    .action(async (name: string, { output, ...at }: DataOptions) => {
      const found = (await listServices(loadCredential(at), stopSignal())).find((service) => service.name === name);
      if (!found) throw new PosternError('not_found', `There is no service ${name}. See: postern services ls`);
      printList(found.tokens, output, () => serviceTokenTable(found.tokens));
    });

  dataOptions(token.command('rotate'))
    .description('Prints a new token in place of an old one, which goes on for a while.')
    .argument('<service>', 'its name')
    .argument('<id>', 'of the old token, as `postern services token ls` shows it', parseId)
    .option('--grace <time>', 'how long the old one goes on, such as 24h; 0s: not at all', parseLife, '24h')
    .option('--life <time>', 'how long the new one is good for (default: as long as the old one was)', parseLife)
    .action(async (name: string, id: string, options: DataOptions & { grace: string; life?: string }) => {
      const { grace, life, output, ...at } = options;
      const graceMs = parseDurationMs(grace) ?? 0;
      const request = { graceMs, ...(life === undefined ? {} : { expiresAt: endOf(life) }) };
      const issued = await rotateServiceToken(loadCredential(at), name, id, request, stopSignal());
      printToken(issued, output);
      process.stderr.write(`The new one ends ${timeOf(issued.expiresAt)}, the old one ${timeOf(issued.oldEndsAt)}.\n`);
    });

  relayOptions(token.command('revoke'))
    .description('Ends a token now, and cuts what it has open.')
    .argument('<service>', 'its name')
    .argument('<id>', 'as `postern services token ls` shows it', parseId)
    .action(async (name: string, id: string, at: AtRelay) => {
      await revokeServiceToken(loadCredential(at), name, id, stopSignal());
      process.stderr.write(`The token ${id} is of no use any more.\n`);
    });
}

/** Its one appearance. */
function printToken({ id, token, expiresAt }: NewToken, output: OutputFormat): void {
  const text = token.reveal();
  printOne({ id, token: text, expiresAt }, output, () => `${text}\n`);
}

function parseLife(text: string): string {
  if (parseDurationMs(text) === undefined) throw new InvalidArgumentError('Write it like 12h or 90d.');
  return text;
}

function endOf(life: string): number {
  return Date.now() + (parseDurationMs(life) ?? 0);
}
