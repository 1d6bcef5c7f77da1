import { type Command, InvalidArgumentError } from 'commander';
import type { LocalPlace } from '../client/connect/listen.ts';
import { isOpenToOthers, type ListenAt, parseListenAt } from '../client/connect/listen-at.ts';
import { serve } from '../client/connect/serve.ts';
import { carryStdio } from '../client/connect/stdio.ts';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import { parseResourceName } from '../client/resource-name.ts';
import { listResources } from '../client/resources.ts';
import { tunnelOfPerson } from '../client/tunnel/of-person.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { aborted } from '../lib/wait.ts';
import { relayOptions } from './at-relay.ts';
import { print } from './output.ts';
import { runProgram } from './program-ended.ts';
import { signInGate } from './sign-in-again.ts';
import { printable } from './table.ts';
import { stopSignal } from './until-signal.ts';

interface ConnectOptions extends AtRelay {
  listen?: ListenAt;
  exec?: string;
}

export function addConnectCommand(program: Command): void {
  relayOptions(program.command('connect'))
    .summary('reach a resource from programs on this machine')
    .description(
      'Leads connections of programs on this machine to a resource, until Ctrl-C. Each one is decided, and recorded as yours.',
    )
    .argument('<resource>', 'a name from: postern ls')
    .option(
      '-L, --listen <where>',
      'a port of this machine, such as 5432; 0 for a free one; 0.0.0.0:5432; unix:/path; - for standard input and output',
      listenAt,
    )
    .option('--exec <command>', 'run a command, with {port} put in, and end with it')
    .addHelpText(
      'after',
      "\nExamples:\n  postern connect db -L 5432\n  postern connect db --exec 'psql -h 127.0.0.1 -p {port}'",
    )
    .action(async (text: string, { listen = DEFAULT_PLACE, exec, ...at }: ConnectOptions) => {
      const { profile, tunnel } = tunnelOfPerson(at);
      using _ends = tunnel;
      const resource = parseResourceName(text, profile.relay);
      // Ctrl-C is for the program that runs.
      const stop = exec === undefined ? stopSignal() : new AbortController().signal;
      const gate = signInGate(profile, stop);
      const opener = gate.guard(tunnel);
      if (listen.kind === 'stdio') {
        if (exec !== undefined) throw new PosternError('request_invalid', '--exec needs a port or a path, not -.');
        await carryStdio(await opener.open({ resource }, stop), stop);
        return;
      }
      await gate.pass(() => requireConnections(resource, profile.name, stop));
      const failed = (error: unknown) => process.stderr.write(`${resource}: ${printable(messageOf(error))}\n`);
      await using listener = await serve(listen, { to: { resource }, opener, signal: stop, failed });
      if (exec === undefined) {
        say(resource, listen, listener);
        await aborted(stop);
      } else await runProgram(withPort(exec, listener.port), [], { shell: true });
    });
}

const DEFAULT_PLACE: ListenAt = { kind: 'tcp', host: '127.0.0.1', port: 0 };

function listenAt(text: string): ListenAt {
  try {
    return parseListenAt(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** Web apps are read request by request. A name that is not in the list goes on: the relay says why it is denied. */
async function requireConnections(resource: string, profile: string, signal: AbortSignal): Promise<void> {
  const found = (await listResources(loadCredential({ profile }), signal)).find(({ name }) => name === resource);
  if (found?.protocol === 'http')
    throw new PosternError('request_invalid', `${resource} is a web app. Open it in a browser: ${found.origin ?? ''}`);
}

function withPort(command: string, port: number | undefined): string {
  return port === undefined ? command : command.replaceAll('{port}', String(port));
}

/** The address on standard output, for scripts; the rest for people. */
function say(
  resource: string,
  place: LocalPlace,
  { address, port }: { address: string; port: number | undefined },
): void {
  if (place.kind === 'tcp' && isOpenToOthers(place.host))
    process.stderr.write(
      `Careful: whoever reaches ${address} over the network connects to ${resource} as you, while this runs.\n`,
    );
  print(`${place.kind === 'tcp' && place.port === 0 ? port : address}\n`);
  process.stderr.write(`${address} leads to ${resource}. Ctrl-C ends it.\n`);
}
