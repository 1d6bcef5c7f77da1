import type { Command } from 'commander';
import type { AtRelay } from '../client/profiles.ts';
import { hostKeyAlias } from '../client/ssh/proxy-command.ts';
import { tunnelOfPerson } from '../client/tunnel/of-person.ts';
import { holdProfile } from '../client/up/hold.ts';
import { type HeldPort, keepPorts } from '../client/up/keep-ports.ts';
import { RememberedPorts } from '../client/up/remembered-ports.ts';
import { messageOf } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { relayOptions } from './at-relay.ts';
import { print } from './output.ts';
import { signInGate } from './sign-in-again.ts';
import { table } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addUpCommand(program: Command): void {
  relayOptions(program.command('up'))
    .summary('hold a local port for each of my TCP and SSH resources')
    .description(
      'Holds a port of this machine for each TCP and SSH resource you may reach, the same ones each time, until Ctrl-C. Waits for a relay that does not answer. When your sign-in has ended, the next connection opens a new one and waits for it.',
    )
    .action(async (at: AtRelay) => {
      const person = tunnelOfPerson(at);
      using _tunnel = person.tunnel;
      const { name, relay } = person.profile;
      await using _held = await holdProfile(name, process.env);
      const signal = stopSignal();
      await keepPorts({
        person,
        gate: signInGate(person.profile, signal, { always: true }),
        ports: new RememberedPorts(name, process.env),
        signal,
        waiting: (error) => process.stderr.write(`${messageOf(error)} It is tried again until it answers.\n`),
        changed: (held) => show(held, relay),
        failed: (resource, error) => process.stderr.write(`${resource}: ${printable(messageOf(error))}\n`),
      });
    });
}

function show(held: readonly HeldPort[], relay: string): void {
  if (held.length === 0)
    process.stderr.write(`There is no TCP or SSH resource at ${relay} that you may reach, yet. Ctrl-C ends this.\n`);
  else
    print(
      table(
        ['RESOURCE', 'ADDRESS', 'HOW'],
        held.map((each) => [each.resource, `127.0.0.1:${each.port}`, howTo(each, relay)]),
      ),
    );
  for (const { resource, port, instead } of held)
    if (instead)
      process.stderr.write(
        `The port of ${resource} is taken by another program; ${port} stands in for it, this time.\n`,
      );
}

function howTo({ resource, protocol, port }: HeldPort, relay: string): string {
  return protocol === 'ssh'
    ? `ssh -p ${port} -o HostKeyAlias=${hostKeyAlias(resource, relay)} 127.0.0.1`
    : `host 127.0.0.1, port ${port}`;
}
