import { PosternError } from '../../lib/errors.ts';
import { hostKeyAlias, proxyCommand } from './proxy-command.ts';

export interface SshConfig {
  /** Origin. */
  readonly relay: string;
  readonly profile: string;
  /** Names of the ssh resources. */
  readonly resources: readonly string[];
  readonly program: readonly string[];
}

/**
 * A part of ssh_config(5) by which `build01.access.example.com` leads through the relay. Each host is written out, for two
 * reasons: a pattern would pass to a shell what somebody else may have put into a URL, and programs show these hosts.
 */
export function sshConfigBlock({ relay, profile, resources, program }: SshConfig): string {
  const { hostname } = new URL(relay);
  const head = `# The SSH servers behind ${relay}. Written by: postern ssh-config --write\n# What is new there is missing here until it is written again.\n`;
  const hosts = resources.toSorted().map(
    (resource) => `
Host ${resource}.${hostname}
  HostKeyAlias ${hostKeyAlias(resource, relay)}
  ProxyCommand ${proxyCommand({ resource, profile, program })}
`,
  );
  if (program.some((part) => part.includes('\n')))
    throw new PosternError('config_invalid', 'The path of this program cannot be written into a file of ssh.');
  return head + hosts.join('');
}
