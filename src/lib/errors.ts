/** Codes of broken contracts and failed I/O. Closed: people look them up in docs/reference/errors.md. A denial is a value, never one of these. */
export type ErrorCode =
  | 'aborted'
  | 'audit_fenced'
  | 'audit_unavailable'
  | 'config_invalid'
  | 'credential_refused'
  | 'database_unavailable'
  | 'database_unsafe'
  | 'enrollment_refused'
  | 'forbidden'
  | 'limit_reached'
  | 'not_found'
  | 'policy_invalid'
  | 'protocol_violation'
  | 'provider_unavailable'
  | 'relay_unreachable'
  | 'request_invalid'
  | 'sign_in_refused'
  | 'target_unreachable'
  | 'timeout'
  | 'token_invalid'
  | 'tunnel_closed'
  | 'unauthenticated';

/** `message` is written for the person who meets it: what happened, why, what to do next. No secrets. */
export class PosternError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PosternError';
    this.code = code;
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is PosternError {
  return error instanceof PosternError && error.code === code;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
