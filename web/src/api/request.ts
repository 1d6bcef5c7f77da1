import type { Problem } from '../../../src/control/problem.ts';

/** What the relay answered instead of a result. */
export class RequestFailure extends Error {
  readonly problem: Problem | undefined;
  constructor(message: string, problem?: Problem) {
    super(message);
    this.problem = problem;
  }
}

/** GET of the relay's own API; its contract is trusted. Without a session it leaves for sign-in and comes back here. */
export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const answer = await ask(path, { signal, headers: { accept: 'application/json' } });
  return (await answer.json()) as T;
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const answer = await ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

const ANSWER_WITHIN_MS = 20_000;

async function ask(path: string, init: RequestInit): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestFailure('The relay did not answer. Check your connection and try again.');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) {
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/sign-in?return=${encodeURIComponent(here)}`);
  }
  const problem = await readProblem(answer);
  throw new RequestFailure(problem?.detail ?? `The relay answered ${answer.status}.`, problem);
}

async function readProblem(answer: Response): Promise<Problem | undefined> {
  if (!answer.headers.get('content-type')?.includes('problem+json')) return undefined;
  return (await answer.json()) as Problem;
}
