import type { TerminationReason } from '../../domain/change.ts';
import { type ErrorCode, PosternError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { Notice } from '../../tunnel/notice.ts';

/** What a person reads of a connection that the relay cut. */
export function cutError({ reason, message, reference }: Notice): PosternError {
  const why = printable(`${message}. (reference ${reference})`);
  return new PosternError(codeOf(reason), brokeOff(why));
}

/** The same words for whatever broke. */
export function brokeOff(why: string): string {
  return `The connection broke off: ${why}`;
}

/** By what helps, as for a connection that is refused. One that is not known yet is as one that is not said. */
function codeOf(reason: string): ErrorCode {
  return CODES.get(reason) ?? 'target_unreachable';
}

const CODES: ReadonlyMap<string, ErrorCode> = new Map(
  Object.entries({
    signed_out: 'unauthenticated',
    session_revoked: 'unauthenticated',
    session_expired: 'unauthenticated',
    principal_disabled: 'unauthenticated',
    policy_changed: 'forbidden',
    access_terminated: 'forbidden',
    lease_ended: 'forbidden',
    agent_revoked: 'target_unreachable',
    authority_lost: 'relay_unreachable',
    relay_stopping: 'tunnel_closed',
  } satisfies Record<TerminationReason, ErrorCode>),
);
