import type { AccessEnd } from '../../domain/audit-event.ts';
import type { TerminationReason } from '../../domain/change.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Why an access ended before the target answered, and what the client is told. */
export interface Failure {
  readonly end: AccessEnd;
  readonly refusal: Refusal;
}

/** What a person reads when authority ended between the decision and the first byte. */
export const REVOKED: Failure = {
  end: 'revoked_before_forward',
  refusal: refusal(
    403,
    'forbidden',
    'What you may do here changed while the request waited, so it was not sent. Try again to see what holds now.',
  ),
};

/** Of an access that was cut before its answer began. */
export function terminatedFailure(reason: TerminationReason): Failure {
  return { end: 'terminated', refusal: terminatedRefusal(reason) };
}

function terminatedRefusal(reason: TerminationReason): Refusal {
  return reason === 'relay_stopping' || reason === 'authority_lost' || reason === 'agent_revoked'
    ? refusal(503, 'aborted', `The request was cut: ${terminationText(reason)}. Try again in a moment.`)
    : refusal(403, 'forbidden', `The request was cut: ${terminationText(reason)}.`);
}

/** Short enough for the reason of a WebSocket close frame (123 bytes). */
export function terminationText(reason: TerminationReason): string {
  switch (reason) {
    case 'signed_out':
      return 'you signed out';
    case 'session_revoked':
      return 'your session was ended';
    case 'session_expired':
      return 'your session has expired';
    case 'principal_disabled':
      return 'your account was disabled';
    case 'policy_changed':
      return 'you may no longer do this here';
    case 'access_terminated':
      return 'someone responsible for security ended it';
    case 'lease_ended':
      return 'the lease of its port was ended';
    case 'agent_revoked':
      return 'the agent that serves this app was revoked';
    case 'authority_lost':
      return 'the relay could not check that you still may do this';
    case 'relay_stopping':
      return 'the relay is stopping';
  }
}
