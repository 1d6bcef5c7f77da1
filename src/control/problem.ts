import type { FastifyReply } from 'fastify';
import { type ErrorCode, PosternError } from '../lib/errors.ts';

/** Stable: people and programs look these up. */
export type ProblemCode = ErrorCode | 'internal_error';

/** Problem details (RFC 9457) with our members `code`, `reference` and, where signing in would help, `signIn` (a URL). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** Finds this failure in the relay's own log. */
  readonly reference: string;
  readonly signIn?: string;
}

interface Meaning {
  readonly status: number;
  readonly title: string;
  /** Said instead of the error's own message where that was written for an operator. */
  readonly detail?: string;
}

const LATER =
  'The relay could not finish this. Try again in a moment; if it stays, tell whoever runs this relay the reference.';

const MEANINGS: Readonly<Record<ProblemCode, Meaning>> = {
  aborted: { status: 503, title: 'Stopped', detail: LATER },
  audit_fenced: { status: 503, title: 'The audit log cannot be written', detail: LATER },
  audit_unavailable: { status: 503, title: 'The audit log cannot be written', detail: LATER },
  config_invalid: { status: 500, title: 'The configuration is not valid', detail: LATER },
  credential_refused: { status: 403, title: 'Credential refused' },
  database_unavailable: { status: 503, title: 'The database does not answer', detail: LATER },
  database_unsafe: { status: 503, title: 'The database is not safe to use', detail: LATER },
  enrollment_refused: { status: 403, title: 'Enrollment refused' },
  forbidden: { status: 403, title: 'Not allowed' },
  internal_error: { status: 500, title: 'Something broke', detail: LATER },
  limit_reached: { status: 429, title: 'Too many requests' },
  not_found: { status: 404, title: 'Not found' },
  policy_invalid: { status: 500, title: 'The policy is not valid', detail: LATER },
  protocol_violation: { status: 400, title: 'Protocol violation' },
  provider_unavailable: {
    status: 502,
    title: 'The sign-in provider does not answer',
    detail:
      'The relay could not reach the sign-in provider, so nobody can sign in right now; who is signed in goes on. Try again in a moment; if it stays, tell whoever runs this relay.',
  },
  relay_unreachable: { status: 502, title: 'The relay does not answer', detail: LATER },
  request_invalid: { status: 400, title: 'The request is not valid' },
  sign_in_refused: { status: 403, title: 'Sign-in refused' },
  target_unreachable: { status: 502, title: 'Not reachable', detail: LATER },
  timeout: { status: 503, title: 'It took too long', detail: LATER },
  token_invalid: { status: 401, title: 'The token is not valid' },
  tunnel_closed: { status: 502, title: 'Not reachable', detail: LATER },
  unauthenticated: { status: 401, title: 'Sign in first' },
};

/** Every code a problem may have, sorted. */
export const PROBLEM_CODES: readonly string[] = Object.keys(MEANINGS).toSorted();

/** `status` overrides the code's own where HTTP has a finer one (413, 415). */
export function problemOf(
  error: { readonly code: ProblemCode; readonly message: string },
  reference: string,
  more: { readonly status?: number; readonly signIn?: string } = {},
): Problem {
  const meaning = MEANINGS[error.code];
  return {
    type: `urn:postern:problem:${error.code}`,
    title: meaning.title,
    status: more.status ?? meaning.status,
    detail: meaning.detail ?? error.message,
    code: error.code,
    reference,
    ...(more.signIn === undefined ? {} : { signIn: more.signIn }),
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problem);
}

/** Anything thrown → a code with words that may be shown. What we did not write ourselves never shows. */
export function classify(error: unknown): { code: ProblemCode; message: string; status?: number } {
  if (error instanceof PosternError) return { code: error.code, message: error.message };
  const status = statusOf(error);
  if (status === 429) return { code: 'limit_reached', message: 'Too many requests from this address. Wait a minute.' };
  if (status === 413) return { code: 'request_invalid', message: 'The request body is too large.', status };
  if (status === 415) return { code: 'request_invalid', message: 'Send application/json.', status };
  if (status !== undefined && status >= 400 && status < 500) {
    return { code: 'request_invalid', message: 'The request could not be read.', status };
  }
  if (status === 503) return { code: 'timeout', message: '' };
  return { code: 'internal_error', message: '' };
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
