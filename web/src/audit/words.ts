import type { AccessEnd, AuditEvent } from '../../../src/domain/audit-event.ts';
import type { TerminationReason } from '../../../src/domain/change.ts';
import type { Reason } from '../../../src/domain/decision.ts';

/** The closed codes of the log in words for people. */

const KIND_WORDS: Readonly<Record<AuditEvent['kind'], string>> = {
  'access.intent': 'Access',
  'access.outcome': 'Access ended',
  'access.terminated': 'Access cut',
  'access.throttled': 'Access throttled',
  'lease.opened': 'Port leased',
  'lease.ended': 'Lease ended',
  'sign_in.completed': 'Sign-in',
  'sign_in.failed': 'Failed sign-in',
  'session.ended': 'Session ended',
  'token.issued': 'Token issued',
  'token.revoked': 'Command line signed out',
  'agent.token_created': 'Enrollment token',
  'agent.enrolled': 'Agent enrolled',
  'agent.enrollment_refused': 'Enrollment refused',
  'agent.connected': 'Agent connected',
  'agent.disconnected': 'Agent disconnected',
  'agent.refused': 'Agent refused',
  'agent.revoked': 'Agent revoked',
  'agent.token_revoked': 'Token revoked',
  'agent.drained': 'Agent drained',
  'agent.resumed': 'Agent resumed',
  'agent.announced': 'Agent announced',
  'agent.announcement_refused': 'Announcement refused',
  'service.created': 'Service created',
  'service.disabled': 'Service disabled',
  'service.enabled': 'Service enabled',
  'service.token_issued': 'Service token',
  'service.token_rotated': 'Service token rotated',
  'service.token_revoked': 'Service token revoked',
  'configuration.loaded': 'Configuration loaded',
  'configuration.refused': 'Configuration refused',
  'policy.loaded': 'Policy loaded',
  'policy.refused': 'Policy refused',
  'log.opened': 'Log opened',
  'log.read': 'Log read',
  'strangers.refused': 'Strangers refused',
};

const END_WORDS: Readonly<Record<AccessEnd, string>> = {
  completed: 'Completed',
  client_closed: 'Client closed',
  target_closed: 'Target closed',
  target_unreachable: 'Unreachable',
  timed_out: 'Timed out',
  not_forwarded: 'Not forwarded',
  body_too_large: 'Body too large',
  revoked_before_forward: 'Revoked before',
  terminated: 'Terminated',
  failed: 'Failed',
};

const REASON_WORDS: Readonly<Record<Reason, string>> = {
  rule_allowed: 'A rule allowed it',
  rule_denied: 'A rule denied it',
  no_rule_matched: 'No rule allowed it',
  path_ambiguous: 'The path can be read in several ways',
  destination_unresolved: 'The agent found no address for the name',
  out_of_scope: 'The token is for other resources',
  no_policy: 'No policy was in force',
  policy_failed: 'The policy could not decide',
};

const CUT_WORDS: Readonly<Record<TerminationReason, string>> = {
  signed_out: 'its person signed out',
  session_revoked: 'the session was revoked',
  session_expired: 'the session has expired',
  principal_disabled: 'its person or service was disabled',
  policy_changed: 'the rules no longer allow it',
  access_terminated: 'someone responsible for security cut it',
  lease_ended: 'the lease of its port was ended',
  agent_revoked: 'its agent was revoked, or enrolled anew',
  authority_lost: 'the relay had no news of revocations',
  relay_stopping: 'the relay was stopped',
};

export function kindWord(kind: string): string {
  return (KIND_WORDS as Record<string, string>)[kind] ?? kind;
}

export function endWord(end: string): string {
  return (END_WORDS as Record<string, string>)[end] ?? end;
}

export function reasonWord(reason: string): string {
  return (REASON_WORDS as Record<string, string>)[reason] ?? reason;
}

export function cutWord(reason: string): string {
  return (CUT_WORDS as Record<string, string>)[reason] ?? reason;
}

export function isRefusal(kind: string): boolean {
  return kind.endsWith('.refused') || kind.endsWith('_refused') || kind.endsWith('.failed');
}

export const EFFECTS = [
  { value: '', label: 'Any' },
  { value: 'allow', label: 'Allowed' },
  { value: 'deny', label: 'Denied' },
] as const;

export const KINDS = [
  { value: '', label: 'Any' },
  ...Object.entries(KIND_WORDS)
    .filter(([kind]) => kind !== 'access.outcome')
    .map(([value, label]) => ({ value, label })),
];

export const TIMES = [
  { value: '', label: 'Any time' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
] as const;
