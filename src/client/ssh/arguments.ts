import { PosternError } from '../../lib/errors.ts';
import { parseResourceName } from '../resource-name.ts';
import { hostKeyAlias, proxyCommand } from './proxy-command.ts';

export interface SshCall {
  /** `[user@]resource`. */
  readonly destination: string;
  /** Options of ssh and the remote command, as the person wrote them. */
  readonly rest: readonly string[];
  readonly relay: string;
  readonly profile: string;
  readonly program: readonly string[];
}

/** The words for the system's ssh. `request_invalid` for what is no user and resource. */
export function sshArguments({ destination, rest, relay, profile, program }: SshCall): string[] {
  const at = destination.lastIndexOf('@');
  const user = at === -1 ? undefined : destination.slice(0, at);
  const resource = parseResourceName(destination.slice(at + 1), relay);
  // ssh itself allows some of these; none is in the name of a person at a server, and a first "-" would be an option.
  if (user !== undefined && !/^[^\s\0-\x1f\x7f'"`$\\;&<>|(){}%-][^\s\0-\x1f\x7f'"`$\\;&<>|(){}%]*$/.test(user))
    throw new PosternError('request_invalid', `"${user}" is no user of a server.`);
  return [
    // The first value that ssh sees holds: these cannot be changed by what follows.
    ...['-o', `ProxyCommand=${proxyCommand({ resource, profile, program })}`],
    ...['-o', `HostKeyAlias=${hostKeyAlias(resource, relay)}`],
    user === undefined ? resource : `${user}@${resource}`,
    ...rest,
  ];
}
