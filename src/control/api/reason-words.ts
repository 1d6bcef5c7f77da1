import type { LeaseEnd } from '../../domain/lease.ts';

/** Why a session, a lease or what was open through one ended, for whoever reads the log. */
const END_WORDS: Readonly<Record<LeaseEnd, string>> = {
  signed_out: 'its person signed out',
  session_revoked: 'the session was revoked',
  session_expired: 'the session has expired',
  principal_disabled: 'its person or service was disabled',
  policy_changed: 'the rules no longer allow it',
  access_terminated: 'someone responsible for security cut it',
  lease_ended: 'the lease was ended before its time',
  agent_revoked: 'its agent was revoked, or enrolled anew',
  authority_lost: 'the relay had no news of revocations',
  relay_stopping: 'the relay was stopped',
  used: 'it has taken all its connections',
  expired: 'its time was over',
};

export function endWords(reason: LeaseEnd): string {
  return END_WORDS[reason];
}

/** A reason is a code, a sentence, or a code with its sentence: `heartbeat_missed: Nothing came for 30 s.` */
export function reasonWords(reason: string): string {
  const sentence = reason.replace(/^\w+: /, '');
  return sentence.includes(' ') ? sentence : codeWords(reason);
}

export function codeWords(code: string): string {
  return code.replace(/[._]/g, ' ');
}
