import { Type } from 'typebox';
import type { AdminLinks } from '../../identity/admin-links.ts';
import type { ControlPlugin } from '../ports.ts';
import { callerOf, redirect } from './routes.ts';

/** More guesses per minute and address are 429. */
const RATE = { max: 20, timeWindow: 60_000 };

const Query = Type.Object({ code: Type.String({ minLength: 1, maxLength: 200 }) });

/** Opens what `postern admin link` made on the relay's machine. */
export function adminLinkRoutes({ adminLinks }: { readonly adminLinks: AdminLinks }): ControlPlugin {
  return async (app) => {
    app.get<{ Querystring: { code: string } }>(
      '/admin-link',
      { config: { permission: 'anyone', rateLimit: RATE }, schema: { querystring: Query } },
      async (request, reply) =>
        redirect(reply, await adminLinks.open(request.query.code, request.headers.cookie, callerOf(request))),
    );
  };
}
