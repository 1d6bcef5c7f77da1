import { hasCode, messageOf, PosternError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { TunnelEnd } from '../../tunnel/tunnel-end.ts';

/** What a person reads of a stream that was open and broke: `unauthenticated` when their session ended. */
export function brokenError(error: unknown): PosternError {
  const say = (why: string) => `The connection broke off: ${why}`;
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
    return new PosternError('target_unreachable', say('the other end, or the relay, ended it.'), { cause: error });
  if (!hasCode(error, 'tunnel_closed'))
    return error instanceof PosternError ? error : new PosternError('tunnel_closed', say(messageOf(error)));
  const end = error.cause as TunnelEnd;
  const code = end.code === 'session_ended' ? 'unauthenticated' : 'tunnel_closed';
  return new PosternError(code, say(reasonOf(end)), { cause: error });
}

/** As the end of a sentence. */
export function reasonOf({ reason }: TunnelEnd): string {
  return printable(reason.replace(/^Closed: /, ''));
}
