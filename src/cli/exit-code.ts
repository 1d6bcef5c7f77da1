import { type ErrorCode, PosternError } from '../lib/errors.ts';

/** What scripts test for; documented and stable. */
export const EXIT = { ok: 0, failure: 1, usage: 2, signInNeeded: 4, denied: 5, unreachable: 6 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof PosternError)) return EXIT.failure;
  return BY_CODE[error.code] ?? EXIT.failure;
}

const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  unauthenticated: EXIT.signInNeeded,
  forbidden: EXIT.denied,
  relay_unreachable: EXIT.unreachable,
};
