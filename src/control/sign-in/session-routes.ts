import type { StoredSession } from '../../domain/stored/session.ts';
import type { Sessions } from '../../identity/sessions.ts';
import { PosternError } from '../../lib/errors.ts';
import { IdParams, Nothing } from '../contract/parts.ts';
import { EndedSession, SessionList, SessionQuery } from '../contract/sessions.ts';
import { isOneOf, OPERATORS, personOf, requireOneOf } from '../permission.ts';
import { personName } from '../person-name.ts';
import type { ControlPlugin, Person } from '../ports.ts';

export interface SessionRoutesDeps {
  readonly sessions: Sessions;
}

const DEFAULT_LIMIT = 200;

/** One's own sessions; everyone's for those who answer for them. */
export function sessionRoutes({ sessions }: SessionRoutesDeps): ControlPlugin {
  return async (app) => {
    app.get<{ Querystring: SessionQuery }>(
      '/api/v1/sessions',
      {
        config: {
          permission: 'signed-in',
          summary: 'Live sessions, newest first: my own, or everyone’s (admin, security)',
        },
        schema: { querystring: SessionQuery, response: { 200: SessionList } },
      },
      async (request): Promise<SessionList> => {
        const person = personOf(request);
        const { of, before, limit = DEFAULT_LIMIT } = request.query;
        if (of === 'everyone') requireOneOf(person, OPERATORS);
        const whose = of === 'everyone' ? undefined : person.session.principal.id;
        // One more than asked for tells whether there is a next page.
        const found = await sessions.list(whose, limit + 1, before);
        const page = found.slice(0, limit);
        return {
          sessions: page.map((session) => summaryOf(session, person)),
          next: found.length > page.length ? (page.at(-1)?.id ?? null) : null,
        };
      },
    );

    app.delete<{ Params: { id: string } }>(
      '/api/v1/sessions/:id',
      {
        config: {
          permission: 'signed-in',
          summary: 'End a session everywhere: one of my own, or anyone’s (admin, security)',
        },
        schema: { params: IdParams, body: Nothing, response: { 200: EndedSession } },
      },
      async (request) => {
        const person = personOf(request);
        const mine = person.session.principal.id;
        const session = await sessions.find(request.params.id);
        // Others' sessions do not exist for those who may not end them.
        if (!session || (session.principal.id !== mine && !isOneOf(person, OPERATORS))) {
          throw new PosternError('not_found', 'There is no such session, or it has ended.');
        }
        await sessions.end({ id: session.id }, 'session_revoked', session.principal.id === mine ? undefined : mine);
        return { ended: session.id };
      },
    );
  };
}

function summaryOf(session: StoredSession, person: Person): SessionList['sessions'][number] {
  const { id, principal, signedInAt, lastSeenAt, expiresAt } = session;
  return {
    id,
    person: personName(principal),
    signedInAt,
    lastSeenAt,
    expiresAt,
    current: id === person.session.id,
  };
}
