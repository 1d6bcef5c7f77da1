import { type Command, InvalidArgumentError } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import { endLease, type LeaseView, leasePort, listLeases } from '../client/leases.ts';
import type { AtRelay } from '../client/profiles.ts';
import { isLoopback } from '../lib/networks.ts';
import { type DataOptions, dataOptions, relayOptions } from './at-relay.ts';
import { printList, printOne } from './output.ts';
import { parseId } from './parse-id.ts';
import { table, timeOf } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addLeaseCommand(program: Command): void {
  const lease = program
    .command('lease')
    .summary('a port of the relay for a program that cannot run postern')
    .description(
      'Leases a port of the relay that leads to a TCP or SSH resource as you: open from your address alone, for one connection that begins within a minute. A rule must allow it.',
    );

  dataOptions(lease.command('open', { isDefault: true }))
    .description('Leases a port and prints its host and port.')
    .argument('<resource>', 'its name')
    .option('--connections <number>', 'how many connections it takes', parseCount, 1)
    .action(async (resource: string, { connections, output, ...at }: DataOptions & { connections: number }) => {
      const leased = await leasePort(loadCredential(at), resource, connections, stopSignal());
      printOne(leased, output, () => `${leased.host} ${leased.port}\n`);
      process.stderr.write(explain(leased));
    });

  dataOptions(lease.command('ls'))
    .description('Leased ports that are open or in use, newest first.')
    .option('--everyone', "everyone's (admin, security)")
    .action(async ({ everyone = false, output, ...at }: DataOptions & { everyone?: boolean }) => {
      const found = await listLeases(loadCredential(at), everyone, stopSignal());
      printList(found, output, () => leaseTable(found));
    });

  relayOptions(lease.command('end'))
    .description('Ends a lease now, with the connections that are open on it.')
    .argument('<id>', 'its id, as `postern lease ls` shows it', parseId)
    .action(async (id: string, at: AtRelay) => {
      await endLease(loadCredential(at), id, stopSignal());
      process.stderr.write(`The lease ${id} has ended.\n`);
    });
}

function explain({ id, host, address, connections, openedAt, expiresAt }: LeaseView): string {
  const seconds = Math.round((expiresAt - openedAt) / 1000);
  const many = connections === 1 ? 'one connection' : `${connections} connections`;
  const where = isLoopback(host)
    ? 'The relay leases ports on its loopback only: programs on its own machine get there.\n'
    : '';
  return `Open from ${address} alone, as you, for ${many} begun within ${seconds} s.\n${where}End it: postern lease end ${id}\n`;
}

function leaseTable(leases: readonly LeaseView[]): string {
  return table(
    ['ID', 'PERSON', 'RESOURCE', 'PORT', 'FROM', 'CONNECTIONS', 'UNTIL'],
    leases.map(({ id, person, resource, host, port, address, connections, begun, expiresAt }) => [
      id,
      person.email ?? person.name ?? person.id,
      resource,
      `${host} ${port}`,
      address,
      `${begun} of ${connections}`,
      timeOf(expiresAt),
    ]),
  );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,3}$/.test(text) && count >= 1 && count <= 100) return count;
  throw new InvalidArgumentError('It is a number from 1 to 100.');
}
