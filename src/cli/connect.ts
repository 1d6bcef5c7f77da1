import { type Command, InvalidArgumentError } from 'commander';
import type { LocalPlace } from '../client/connect/listen.ts';
import { isOpenToOthers, type ListenAt, parseListenAt } from '../client/connect/listen-at.ts';
import { openConnection } from '../client/connect/open-connection.ts';
import { type ServedResource, serveResource } from '../client/connect/serve-resource.ts';
import { carryStdio } from '../client/connect/stdio.ts';
import type { AtRelay } from '../client/profiles.ts';
import { parseResourceName } from '../client/resource-name.ts';
import { tunnelOfPerson } from '../client/tunnel/of-person.ts';
import { messageOf } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { aborted } from '../lib/wait.ts';
import { relayOptions } from './at-relay.ts';
import { print } from './output.ts';
import { runProgram } from './program-ended.ts';
import { signInGate } from './sign-in-again.ts';
import { stopSignal } from './until-signal.ts';

interface ConnectOptions extends AtRelay {
  listen?: ListenAt;
  exec?: string;
}

const EXAMPLES = `
Examples:
  postern connect db -L 5432
  postern connect db --exec 'psql -h 127.0.0.1 -p {port}'
  postern connect wiki -L 8080`;

export function addConnectCommand(program: Command): void {
  const command = relayOptions(program.command('connect'))
    .summary('reach a resource from programs on this machine')
    .description(
      'Leads programs on this machine to a resource, until Ctrl-C. Each connection is decided, and recorded as yours.',
    )
    .argument('<resource>', 'a name from: postern ls')
    .option(
      '-L, --listen <where>',
      'a port of this machine, such as 5432; 0 for a free one; 0.0.0.0:5432; unix:/path; - for standard input and output',
      parseListenOption,
    )
    .option('--exec <command>', 'run a command, with {port} put in, and end with it')
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, { listen = FREE_PORT, exec, ...at }: ConnectOptions) => {
      if (listen.kind === 'stdio' && exec !== undefined) return command.error('error: --exec needs a port, not -');
      const person = tunnelOfPerson(at);
      using _tunnel = person.tunnel;
      const resource = parseResourceName(text, person.profile.relay);
      // With a command, Ctrl-C is for that to understand.
      const signal = exec === undefined ? stopSignal() : new AbortController().signal;
      const gate = signInGate(person.profile, signal);
      if (listen.kind === 'stdio') {
        await carryStdio(await openConnection({ resource, person, gate, signal }), signal);
        return;
      }
      const failed = (error: unknown) => process.stderr.write(`${resource}: ${printable(messageOf(error))}\n`);
      await using served = await serveResource(listen, { resource, person, gate, signal, failed });
      if (exec === undefined) {
        say(resource, listen, served);
        await aborted(signal);
      } else await run(withPort(exec, served.port), served);
    });
}

/** What the command's connections have to say to the end is said before the tunnel goes. */
async function run(command: string, served: ServedResource): Promise<void> {
  try {
    await runProgram(command, [], { shell: true });
  } finally {
    await served.untilUnused(FAREWELL_MS);
  }
}

const FAREWELL_MS = 1_000;
const FREE_PORT: ListenAt = { kind: 'tcp', host: '127.0.0.1', port: 0 };

export function parseListenOption(text: string): ListenAt {
  try {
    return parseListenAt(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

function withPort(command: string, port: number | undefined): string {
  return port === undefined ? command : command.replaceAll('{port}', String(port));
}

/** The address on standard output, for scripts; the rest for people. */
function say(resource: string, place: LocalPlace, { address, port, protocol }: ServedResource): void {
  warnIfOpen(place, address);
  print(`${place.kind === 'tcp' && place.port === 0 ? port : address}\n`);
  const where = protocol === 'http' && place.kind === 'tcp' ? `http://${address}` : address;
  process.stderr.write(`${where} leads to ${resource}. Ctrl-C ends it.\n`);
  if (protocol === undefined)
    process.stderr.write(`${resource} is not in: postern ls. What connects is refused until a rule lets you there.\n`);
}

export function warnIfOpen(place: LocalPlace, address: string): void {
  if (place.kind === 'tcp' && isOpenToOthers(place.host))
    process.stderr.write(`Careful: whoever reaches ${address} over the network connects as you, while this runs.\n`);
}
