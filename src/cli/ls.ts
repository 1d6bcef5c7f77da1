import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import { listResources, type ReachableResource } from '../client/resources.ts';
import { type DataOptions, dataOptions } from './at-relay.ts';
import { printList } from './output.ts';
import { table } from './table.ts';
import { stopSignal } from './until-signal.ts';

export function addLsCommand(program: Command): void {
  dataOptions(program.command('ls'))
    .summary('what I may reach, and how')
    .description('What you may reach, and how: the address to open, or the command to run.')
    .action(async ({ output, ...at }: DataOptions) => {
      const credential = loadCredential(at);
      const found = await listResources(credential, stopSignal());
      const records = found.map(({ origin, ...resource }) => ({
        ...resource,
        url: origin === undefined ? null : `${origin}/`,
        how: howTo({ origin, ...resource }),
      }));
      const lines = records.map(({ name, protocol, how, title }) => [name, protocol, how, title]);
      const nothing = `${credential.person} may reach nothing at ${credential.relay}.`;
      printList(records, output, () => table(['NAME', 'PROTOCOL', 'HOW', 'TITLE'], lines), nothing);
    });
}

function howTo({ name, protocol, origin, leaseOnly }: ReachableResource): string {
  if (origin !== undefined) return `${origin}/`;
  if (leaseOnly) return `postern lease ${name}`;
  if (protocol === 'network') return 'postern proxy --socks 1080';
  return protocol === 'ssh' ? `postern ssh ${name}` : `postern connect ${name}`;
}
