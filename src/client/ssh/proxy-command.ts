import { PosternError } from '../../lib/errors.ts';

export interface ProxyCommandOf {
  /** Already held to the grammar of names. */
  readonly resource: string;
  readonly profile: string;
  /** How this program is run: Node and the script. */
  readonly program: readonly string[];
}

/** What ssh runs instead of dialling (ssh_config(5), ProxyCommand). No word of it comes from ssh: it holds no `%` token. */
export function proxyCommand({ resource, profile, program }: ProxyCommandOf): string {
  return [...program, 'connect', resource, '--profile', profile, '-L', '-'].map(word).join(' ');
}

/** Host keys are remembered by this name: the same for a resource whatever address or port leads to it. */
export function hostKeyAlias(resource: string, relay: string): string {
  const { hostname, port } = new URL(relay);
  return `postern-${hostname}${port === '' ? '' : `-${port}`}-${resource}`;
}

/** For the person's shell, and for ssh, which replaces `%` first. */
function word(text: string): string {
  if (/[\0-\x1f\x7f]/.test(text))
    throw new PosternError('config_invalid', `ssh cannot run ${JSON.stringify(text)}: it has a control character.`);
  const percent = text.replaceAll('%', '%%');
  return /^[\w%+,./:=@-]+$/.test(text) ? percent : `'${percent.replaceAll("'", `'\\''`)}'`;
}
