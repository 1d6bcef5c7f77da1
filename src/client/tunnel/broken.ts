import type { Duplex } from 'node:stream';
import { hasCode, messageOf, PosternError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { TunnelStream } from '../../tunnel/stream.ts';
import type { TunnelEnd } from '../../tunnel/tunnel-end.ts';
import { brokeOff, cutError } from './cut.ts';
import type { DialledTunnel } from './dialled-tunnel.ts';

/** A relay that cuts a connection or ends a session resets what is open, and then says why. */
const REASON_MS = 300;

interface Opened {
  readonly tunnel: DialledTunnel;
  readonly id: number;
}

const openedOf = new WeakMap<Duplex, Opened>();

/** So that it can be said why the stream broke. */
export function opened(stream: TunnelStream, tunnel: DialledTunnel): void {
  openedOf.set(stream, { tunnel, id: stream.streamId });
}

/** What a person reads of a stream that was open and broke: `forbidden` or `unauthenticated` when they lost the right. */
export async function whyBroken(stream: Duplex, error: unknown): Promise<PosternError> {
  const known = openedOf.get(stream);
  if (!known || !isReset(error)) return brokenError(error);
  const { tunnel, id } = known;
  const notice = await tunnel.notices.of(id, REASON_MS, tunnel.ended);
  if (notice) return cutError(notice);
  const { end } = tunnel;
  return brokenError(end?.by === 'peer' ? new PosternError('tunnel_closed', end.reason, { cause: end }) : error);
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function brokenError(error: unknown): PosternError {
  if (isReset(error))
    return new PosternError('target_unreachable', brokeOff('the other end, or the relay, ended it.'), { cause: error });
  if (!hasCode(error, 'tunnel_closed'))
    return error instanceof PosternError ? error : new PosternError('tunnel_closed', brokeOff(messageOf(error)));
  const end = error.cause as TunnelEnd;
  const code = end.code === 'session_ended' ? 'unauthenticated' : 'tunnel_closed';
  return new PosternError(code, brokeOff(reasonOf(end)), { cause: error });
}

/** As the end of a sentence. */
export function reasonOf({ reason }: TunnelEnd): string {
  return printable(reason.replace(/^Closed: /, ''));
}
