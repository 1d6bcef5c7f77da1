import type { FastifyReply, FastifyRequest } from 'fastify';
import { asksForPage } from '../lib/asks-for-page.ts';
import type { LineLog } from '../lib/sparing-log.ts';
import { sendProblemPage } from './page.ts';
import { classify, problemOf, sendProblem } from './problem.ts';

/** What anyone causes all the time: their references find nothing. */
const OF_STRANGERS: ReadonlySet<number> = new Set([401, 404, 429]);

type Answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/**
 * Answers whatever was thrown: a navigation without a session goes to sign-in and comes back, people get a page,
 * programs get a problem. The reference is the request's id in the relay's own log; in `strangers` stand those without a
 * session, who must not fill it.
 */
export function errorAnswer(origin: string, strangers: LineLog): Answer {
  return (error, request, reply) => {
    const { status, ...known } = classify(error);
    const navigation = isNavigation(request);
    const unauthenticated = known.code === 'unauthenticated';
    if (unauthenticated && navigation) {
      return reply.redirect(`/sign-in?return=${encodeURIComponent(request.url)}`, 302);
    }
    const problem = problemOf(known, request.id, {
      ...(status === undefined ? {} : { status }),
      ...(unauthenticated ? { signIn: `${origin}/sign-in` } : {}),
    });
    if (problem.status >= 500) request.log.error({ err: error, reference: request.id }, 'A request failed');
    else if (!OF_STRANGERS.has(problem.status)) {
      const { code, detail, reference } = problem;
      const log = request.person === undefined ? strangers : request.log;
      log.info({ code, detail, reference }, 'a request was refused');
    }
    return navigation ? sendProblemPage(reply, problem) : sendProblem(reply, problem);
  };
}

function isNavigation({ method, url, headers }: FastifyRequest): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || url.startsWith('/api/')) return false;
  return asksForPage(headers['sec-fetch-mode'], headers.accept);
}
