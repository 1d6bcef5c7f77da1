import { PosternError } from '../lib/errors.ts';

/** What scripts test for; documented and stable. */
export const EXIT = { ok: 0, failure: 1, usage: 2, signInNeeded: 4, denied: 5, unreachable: 6 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof PosternError)) return EXIT.failure;
  switch (error.code) {
    case 'unauthenticated':
      return EXIT.signInNeeded;
    case 'forbidden':
      return EXIT.denied;
    case 'relay_unreachable':
      return EXIT.unreachable;
    default:
      return EXIT.failure;
  }
}
