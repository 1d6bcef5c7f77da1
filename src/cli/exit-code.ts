import { type ErrorCode, PosternError } from '../lib/errors.ts';
import { UsageError } from './usage-error.ts';

/** What scripts test for; documented and stable. */
export const EXIT = { ok: 0, failure: 1, usage: 2, signInNeeded: 4, denied: 5, unreachable: 6 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return usage;
  return error instanceof PosternError ? BY_CODE[error.code] : EXIT.failure;
}

const { failure, usage, signInNeeded, denied, unreachable } = EXIT;

/** By what helps: a sign-in, another person's permission, or something that has to run or answer. */
const BY_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  aborted: failure,
  audit_fenced: failure,
  audit_unavailable: failure,
  config_invalid: failure,
  credential_refused: denied,
  database_unavailable: failure,
  database_unsafe: failure,
  enrollment_refused: denied,
  forbidden: denied,
  limit_reached: failure,
  not_found: failure,
  policy_invalid: failure,
  protocol_violation: failure,
  provider_unavailable: unreachable,
  relay_unreachable: unreachable,
  request_invalid: failure,
  sign_in_refused: signInNeeded,
  target_unreachable: unreachable,
  timeout: unreachable,
  token_invalid: signInNeeded,
  tunnel_closed: unreachable,
  unauthenticated: signInNeeded,
};
