import type { FastifyInstance } from 'fastify';
import type { LiveAccess } from '../../domain/live.ts';
import { PosternError } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { AccessList, AccessQuery, TerminateBody, TerminatedAccess } from '../contract/accesses.ts';
import { IdParams } from '../contract/parts.ts';
import { OPERATORS } from '../permission.ts';
import { personName } from '../person-name.ts';
import type { ControlDeps } from '../ports.ts';
import { actorOf } from './actor.ts';

const DEFAULT_LIMIT = 100;

/** What is under way right now, and cutting one of it. */
export function serveAccesses(app: FastifyInstance, { live, audit, clock }: ControlDeps): void {
  app.get<{ Querystring: AccessQuery }>(
    '/api/v1/accesses',
    {
      config: { permission: OPERATORS, summary: 'Live accesses at this relay, newest first' },
      schema: { querystring: AccessQuery, response: { 200: AccessList } },
    },
    (request): AccessList => {
      const { before, limit = DEFAULT_LIMIT } = request.query;
      const older = live.list().filter(({ intent }) => before === undefined || intent < before);
      const page = older.toSorted((a, b) => (a.intent < b.intent ? 1 : -1)).slice(0, limit);
      return {
        accesses: page.map(summaryOf),
        next: older.length > page.length ? (page.at(-1)?.intent ?? null) : null,
      };
    },
  );

  app.post<{ Params: { id: string }; Body: TerminateBody }>(
    '/api/v1/accesses/:id/terminate',
    {
      config: { permission: OPERATORS, summary: 'Cut one live access in both directions' },
      schema: { params: IdParams, body: TerminateBody, response: { 200: TerminatedAccess } },
    },
    async (request) => {
      const { id } = request.params;
      const access = live.list().find(({ intent }) => intent === id);
      if (!access || !live.terminate(id)) {
        throw new PosternError('not_found', 'There is no such live access at this relay, or it has ended.');
      }
      // Cut first: in an incident that does not wait for the log.
      const at = clock();
      const { personal, ...actor } = actorOf(request);
      await audit.append({
        kind: 'access.terminated',
        id: sortableId(at),
        at,
        ...actor,
        intent: id,
        resource: access.resource.name,
        personal: { ...personal, note: request.body.reason },
      });
      return { terminated: id };
    },
  );
}

function summaryOf({
  intent,
  session,
  resource,
  destination,
  agent,
  startedAt,
}: LiveAccess): AccessList['accesses'][number] {
  return {
    id: intent,
    person: personName(session.principal),
    session: session.id,
    resource: resource.name,
    destination: destination ?? null,
    agent,
    startedAt,
  };
}
