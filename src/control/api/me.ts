import type { FastifyInstance } from 'fastify';
import { packageVersion } from '../../lib/version.ts';
import { Me } from '../contract/me.ts';
import { personOf } from '../permission.ts';
import type { ControlDeps } from '../ports.ts';

export function serveMe(app: FastifyInstance, deps: ControlDeps): void {
  const version = packageVersion();
  app.get(
    '/api/v1/me',
    {
      config: {
        permission: 'signed-in',
        by: ['browser', 'command_line', 'service'],
        summary: 'Who I am and which roles I have',
      },
      schema: { response: { 200: Me } },
    },
    async (request): Promise<Me> => {
      const { session, roles } = personOf(request);
      const { principal } = session;
      return {
        person: {
          id: principal.id,
          name: principal.name ?? null,
          email: principal.email ?? null,
          subject: principal.subject,
          groups: [...principal.groups],
        },
        roles: [...roles],
        session: { id: session.id, signedInAt: session.signedInAt, expiresAt: session.expiresAt },
        signOut: '/api/v1/sign-out',
        relay: { id: deps.configuration.relay, version },
        contact: deps.contact ?? null,
      };
    },
  );
}
