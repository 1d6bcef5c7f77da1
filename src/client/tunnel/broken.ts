import type { Duplex } from 'node:stream';
import { hasCode, messageOf, PosternError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { pause } from '../../lib/wait.ts';
import type { Tunnel } from '../../tunnel/tunnel.ts';
import type { TunnelEnd } from '../../tunnel/tunnel-end.ts';

/** A relay that ends a session resets what is open, and then says why on the tunnel. */
const REASON_MS = 300;

const tunnelOf = new WeakMap<Duplex, Tunnel>();

/** So that it can be said why the stream broke. */
export function opened(stream: Duplex, tunnel: Tunnel): void {
  tunnelOf.set(stream, tunnel);
}

/** What a person reads of a stream that was open and broke: `unauthenticated` when their session ended. */
export async function whyBroken(stream: Duplex, error: unknown): Promise<PosternError> {
  const tunnel = tunnelOf.get(stream);
  if (!tunnel || !isReset(error)) return brokenError(error);
  await pause(REASON_MS, tunnel.ended);
  const { end } = tunnel;
  return brokenError(end?.by === 'peer' ? new PosternError('tunnel_closed', end.reason, { cause: end }) : error);
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function brokenError(error: unknown): PosternError {
  const say = (why: string) => `The connection broke off: ${why}`;
  if (isReset(error))
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
