import { type Static, Type } from 'typebox';
import type { StoredSession } from '../../identity/ports.ts';
import type { Sessions } from '../../identity/sessions.ts';
import { PosternError } from '../../lib/errors.ts';
import { personOf } from '../permission.ts';
import type { ControlPlugin, Person } from '../ports.ts';

export interface SessionRoutesDeps {
  readonly sessions: Sessions;
}

/** Sessions in one answer, newest first. */
const MAX_LISTED = 500;

const SessionSummary = Type.Object({
  id: Type.String(),
  person: Type.Object({
    id: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    email: Type.Union([Type.String(), Type.Null()]),
  }),
  signedInAt: Type.Integer(),
  lastSeenAt: Type.Integer(),
  expiresAt: Type.Integer(),
  /** It is the one that asks. */
  current: Type.Boolean(),
});
const SessionList = Type.Object({ sessions: Type.Array(SessionSummary) });
type SessionList = Static<typeof SessionList>;

const ListQuery = Type.Object({ of: Type.Optional(Type.Union([Type.Literal('me'), Type.Literal('everyone')])) });
const SessionParams = Type.Object({ id: Type.String({ minLength: 36, maxLength: 36, pattern: '^[0-9a-f-]+$' }) });

/** One's own sessions; for admins everyone's. */
export function sessionRoutes({ sessions }: SessionRoutesDeps): ControlPlugin {
  return async (app) => {
    app.get<{ Querystring: Static<typeof ListQuery> }>(
      '/api/v1/sessions',
      { config: { permission: 'signed-in' }, schema: { querystring: ListQuery, response: { 200: SessionList } } },
      async (request, reply): Promise<SessionList> => {
        const person = personOf(request);
        const everyone = request.query.of === 'everyone';
        if (everyone && !isAdmin(person)) throw new PosternError('forbidden', 'This needs the role admin.');
        const found = await sessions.list(everyone ? undefined : person.session.principal.id, MAX_LISTED);
        reply.header('cache-control', 'no-store');
        return { sessions: found.map((session) => summaryOf(session, person)) };
      },
    );

    app.delete<{ Params: Static<typeof SessionParams> }>(
      '/api/v1/sessions/:id',
      { config: { permission: 'signed-in' }, schema: { params: SessionParams } },
      async (request) => {
        const person = personOf(request);
        const mine = person.session.principal.id;
        const session = await sessions.find(request.params.id);
        // Others' sessions do not exist for those who may not end them.
        if (!session || (session.principal.id !== mine && !isAdmin(person))) {
          throw new PosternError('not_found', 'There is no such session, or it has ended.');
        }
        await sessions.end({ id: session.id }, 'session_revoked', session.principal.id === mine ? undefined : mine);
        return { ended: session.id };
      },
    );
  };
}

function isAdmin(person: Person): boolean {
  return person.roles.includes('admin');
}

function summaryOf(session: StoredSession, person: Person): SessionList['sessions'][number] {
  const { id, principal, signedInAt, lastSeenAt, expiresAt } = session;
  return {
    id,
    person: { id: principal.id, name: principal.name ?? null, email: principal.email ?? null },
    signedInAt,
    lastSeenAt,
    expiresAt,
    current: id === person.session.id,
  };
}
