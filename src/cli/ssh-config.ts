import { homedir } from 'node:os';
import type { Command } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import type { AtRelay } from '../client/profiles.ts';
import { listResources, takesConnections } from '../client/resources.ts';
import { sshConfigBlock } from '../client/ssh/config-block.ts';
import { writeSshConfig } from '../client/ssh/config-file.ts';
import { requireProfile } from '../client/tunnel/of-person.ts';
import { relayOptions } from './at-relay.ts';
import { print } from './output.ts';
import { thisProgram } from './this-program.ts';
import { stopSignal } from './until-signal.ts';

export function addSshConfigCommand(program: Command): void {
  relayOptions(program.command('ssh-config'))
    .summary('let plain ssh, scp, rsync, git and editors reach servers behind the relay')
    .description(
      'Prints what ~/.ssh/config needs so that plain ssh reaches your servers as <resource>.<host of the relay>, and with it scp, rsync, git and editors.',
    )
    .option('--write', 'write it, and include it from ~/.ssh/config')
    .action(async ({ write, ...at }: AtRelay & { write?: true }) => {
      const { name: profile, relay } = requireProfile(at);
      const listed = await listResources(loadCredential({ profile }), stopSignal());
      const servers = listed.filter((each) => each.protocol === 'ssh' && takesConnections(each));
      const resources = servers.map(({ name }) => name);
      const block = sshConfigBlock({ relay, profile, resources, program: thisProgram() });
      if (!write) print(block);
      else {
        const { file, including } = writeSshConfig(block, profile, homedir());
        process.stderr.write(`Wrote ${file}, which ${including} includes.\n`);
      }
      const [first] = resources;
      const hint = first
        ? `Then: ssh ${first}.${new URL(relay).hostname}`
        : `There is no SSH server at ${relay} that you may reach. See: postern ls`;
      process.stderr.write(`${hint}\n`);
    });
}
